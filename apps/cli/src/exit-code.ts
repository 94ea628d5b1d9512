import { type ErrorCode, ShoalError } from '@shoal/errors';
import { OutputGone } from './output.ts';

/** How the command ends. Scripts rely on these numbers; they never change. */
export const exitCode = {
  done: 0,
  /** Some items failed, or the command itself could not do its work. */
  failed: 1,
  /** The command, its options, its task function or its input are wrong. */
  usage: 2,
  /** The coordinator cannot be reached, or was lost. */
  unreachable: 3,
  /** The job was cancelled by somebody else, or its deadline passed. */
  cancelled: 4,
  /** Ctrl-C. */
  interrupted: 130,
  /** The reader of stdout went away, as `cat` would end by SIGPIPE. */
  outputGone: 141,
} as const;

// Everything else is 1: the command is right, but the world does not fit it now. So are ADDRESS_IN_USE (the port may be
// free the next time) and BUNDLE_EXISTS (another version may have been pushed meanwhile).
const codes: Partial<Record<ErrorCode, number>> = {
  USAGE: exitCode.usage,
  REQUEST_INVALID: exitCode.usage,
  INPUT_INVALID: exitCode.usage,
  FILE_NOT_USABLE: exitCode.usage,
  TASK_EXPORT_MISSING: exitCode.usage,
  TASK_LOAD_FAILED: exitCode.usage,
  TASK_BUNDLE_FAILED: exitCode.usage,
  TASK_NOT_PORTABLE: exitCode.usage,
  POOL_IN_TASK_MODULE: exitCode.usage,
  INSECURE_CONNECT: exitCode.usage,
  AGENT_NOT_FOUND: exitCode.usage,
  CANNOT_CONNECT: exitCode.unreachable,
  CONNECTION_LOST: exitCode.unreachable,
  TLS_FAILED: exitCode.unreachable,
  JOB_CANCELLED: exitCode.cancelled,
  JOB_DEADLINE: exitCode.cancelled,
};

/** The exit code that an error ends the command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof OutputGone) return exitCode.outputGone;
  return error instanceof ShoalError ? (codes[error.code] ?? exitCode.failed) : exitCode.failed;
}

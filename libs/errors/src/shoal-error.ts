import { catalogue } from './catalogue.ts';
import type { ErrorCode } from './error-code.ts';
import { describe, type Facts } from './error-text.ts';
import { durationText } from './quantity.ts';
import { quotedText, shownText } from './shown-text.ts';

/** Every error of Shoal's own: a stable `code`, the facts it was made of, and a message that says what to do. */
export class ShoalError extends Error {
  override readonly name: string = 'ShoalError';
  /** The stable code: match on this, never on the message. */
  readonly code: ErrorCode;
  /** What the message was made of, by name. */
  readonly facts: Facts;

  constructor(code: ErrorCode, facts: Facts = {}, options?: ErrorOptions) {
    super(describe(code, facts), options);
    this.code = code;
    this.facts = facts;
  }

  /** Whether the very same call can succeed later. */
  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }
}

/** Work was given to a pool after `close()`. */
export class PoolClosedError extends ShoalError {
  override readonly name: string = 'PoolClosedError';
  constructor() {
    super('POOL_CLOSED');
  }
}

/** Work was pending when `terminate()` ran, or was given to the pool afterwards. */
export class PoolTerminatedError extends ShoalError {
  override readonly name: string = 'PoolTerminatedError';
  constructor() {
    super('POOL_TERMINATED');
  }
}

/** The job was cancelled: by `cancel()`, by its consumer, by an operator, or at its deadline. */
export class JobCancelledError extends ShoalError {
  override readonly name: string = 'JobCancelledError';
  constructor(
    facts: Facts = { reason: 'cancel() was called' },
    code: 'JOB_CANCELLED' | 'JOB_DEADLINE' = 'JOB_CANCELLED',
  ) {
    super(code, facts);
  }
}

/** The job was not done when its deadline had passed. `waitingFor`: why nothing of it ran by then, if nothing did. */
export function pastDeadline(deadlineMs: number, waitingFor: string = ''): JobCancelledError {
  const limit = durationText(deadlineMs);
  if (waitingFor === '') return new JobCancelledError({ limit }, 'JOB_DEADLINE');
  const waited = waitingFor.startsWith('waits ')
    ? waitingFor.replace('waits', 'waited')
    : `waited: ${waitingFor}`;
  const facts = { limit, waitingFor, wait: `. It ${waited}`, hint: ' where waiting longer helps' };
  return new JobCancelledError(facts, 'JOB_DEADLINE');
}

/** A wait (`next`, `result`, `wait` with `timeoutMs`) ran out. What was waited for is not lost. */
export class TimeoutError extends ShoalError {
  override readonly name: string = 'TimeoutError';
  constructor(facts: Facts) {
    super('TIMED_OUT', facts);
  }
}

/** The initializer threw or killed its child; nothing that needs it can run. */
export class InitializerError extends ShoalError {
  override readonly name: string = 'InitializerError';
  constructor(facts: Facts, options?: ErrorOptions) {
    super('INITIALIZER_FAILED', facts, options);
  }
}

/** One try at an item: where it ran and how it ended. */
export interface ItemAttempt {
  /** The agent's name; undefined in a local pool. */
  readonly agent?: string;
  /** The process that ran it; undefined where it never reached one. */
  readonly pid?: number;
  /** The exit code of a process that died meanwhile. */
  readonly exitCode?: number;
  /** The signal that ended the process, such as `SIGSEGV`. */
  readonly signal?: string;
  /** How long the try lasted, in milliseconds. */
  readonly ms?: number;
  /** The process was forked, and died because its fork server did (docs/fork-server.md). Undefined: it was not so. */
  readonly withItsServer?: true;
}

/** The codes that an {@link ItemError} can have. */
export type ItemErrorCode =
  | 'ITEM_THREW'
  | 'ITEM_KILLED_CHILD'
  | 'ITEM_TIMED_OUT'
  | 'ITEM_LOST'
  | 'ITEM_TOO_LARGE'
  | 'RESULT_TOO_LARGE'
  | 'RESULT_UNREADABLE'
  | 'VALUE_NOT_PORTABLE'
  | 'ARGUMENTS_NOT_LIST';

const itemCodes: Readonly<Record<ItemErrorCode, true>> = {
  ITEM_THREW: true,
  ITEM_KILLED_CHILD: true,
  ITEM_TIMED_OUT: true,
  ITEM_LOST: true,
  ITEM_TOO_LARGE: true,
  RESULT_TOO_LARGE: true,
  RESULT_UNREADABLE: true,
  VALUE_NOT_PORTABLE: true,
  ARGUMENTS_NOT_LIST: true,
};

const isItemCode = (code: string): code is ItemErrorCode => Object.hasOwn(itemCodes, code);

/** What an {@link ItemError} is made of. */
export interface ItemErrorDetail {
  /** An {@link ItemErrorCode}; any other one is of a newer peer, and is told as it came. */
  readonly code: string;
  /** What a peer said of it in a line: the message, where the code is none that is known. */
  readonly summary?: string;
  readonly index: number;
  readonly task: string;
  readonly attempts: readonly ItemAttempt[];
  readonly facts: Facts;
  readonly cause?: unknown;
  /** What the input threw after the item, and in words. */
  readonly inputFailure?: { readonly error: unknown; readonly reason: string };
  /** The last lines that a dead process wrote to stderr. */
  readonly stderrTail?: string;
}

/** One item failed. `cause` is the function's own error, rebuilt with its name, message, code, fields and stack. */
export class ItemError extends ShoalError {
  override readonly name: string = 'ItemError';
  /** The item's position in the input, from 0. */
  readonly index: number;
  /** The name of the task function. */
  readonly task: string;
  /** Where the last attempt ran; undefined in a local pool. */
  readonly agent: string | undefined;
  /** The process of the last attempt. */
  readonly pid: number | undefined;
  /** Every try, the first one first. */
  readonly attempts: readonly ItemAttempt[];
  /** The last lines that a dead process wrote to stderr; undefined where none died. */
  readonly stderrTail: string | undefined;
  /**
   * What the input threw later, so that no item came after that: the item is told first, for a loop would have met it first.
   * Undefined where the input ended well, and where that is told by itself (a stream's next `next()`).
   */
  declare readonly inputError: unknown;

  constructor(detail: ItemErrorDetail) {
    const { code, summary = '' } = detail;
    super(
      isItemCode(code) ? code : 'INTERNAL',
      { ...detail.facts, index: detail.index },
      'cause' in detail ? { cause: detail.cause } : undefined,
    );
    if (!isItemCode(code)) {
      // Users match on the code as they were told it, known here or not.
      Object.defineProperty(this, 'code', { value: code, enumerable: true, configurable: true });
      const reason = summary === '' ? '' : `: ${shownText(summary)}`;
      this.message = `Item ${detail.index} failed with ${quotedText(code)}, a code of which this version knows no more${reason}.`;
    }
    const last = detail.attempts.at(-1);
    this.index = detail.index;
    this.task = detail.task;
    this.agent = last?.agent;
    this.pid = last?.pid;
    this.attempts = detail.attempts;
    this.stderrTail = detail.stderrTail;
    if (detail.inputFailure === undefined) return;
    const { error, reason } = detail.inputFailure;
    this.inputError = error;
    this.message += ` The input ended after item ${detail.index} with an error of its own (${reason}).`;
  }

  override get retryable(): boolean {
    return isItemCode(this.code) && super.retryable;
  }
}

/** Stands for a thrown value that is not an Error, or an error that cannot be rebuilt as it was. */
export class RemoteError extends Error {
  override readonly name: string = 'RemoteError';
  /** The name that the original error had. */
  readonly remoteName: string;

  constructor(message: string, remoteName: string, options?: ErrorOptions) {
    super(message, options);
    this.remoteName = remoteName;
  }
}

import {
  type ErrorCode,
  type Facts,
  InitializerError,
  isErrorCode,
  JobCancelledError,
  PoolClosedError,
  PoolTerminatedError,
  ShoalError,
  TimeoutError,
} from '@shoal/errors';
import { readFacts, writeFacts } from './facts.ts';
import { CatalogueError } from './gen/shoal/v1/common.ts';

/** An error of a newer peer: its code is in no catalogue here, its message came with it. */
class UnlistedError extends ShoalError {
  override readonly name: string = 'ShoalError';

  constructor(code: string, facts: Facts, message: string, options?: ErrorOptions) {
    super('INTERNAL', facts, options);
    // Users match on the code as they were told it, known here or not.
    Object.defineProperty(this, 'code', { value: code, enumerable: true, configurable: true });
    this.message = message === '' ? `${code} (this version knows no more of it)` : message;
  }

  override get retryable(): boolean {
    return false;
  }
}

/** The error of a code and its facts, in the class that has that code. Unknown codes keep code, facts and message. */
export function errorOf(
  code: string,
  facts: Facts,
  message: string = '',
  options?: ErrorOptions,
): ShoalError {
  if (!isErrorCode(code)) return new UnlistedError(code, facts, message, options);
  return listedError(code, facts, options);
}

function listedError(code: ErrorCode, facts: Facts, options?: ErrorOptions): ShoalError {
  switch (code) {
    case 'POOL_CLOSED':
      return new PoolClosedError();
    case 'POOL_TERMINATED':
      return new PoolTerminatedError();
    case 'JOB_CANCELLED':
    case 'JOB_DEADLINE':
      return new JobCancelledError(facts, code);
    case 'TIMED_OUT':
      return new TimeoutError(facts);
    case 'INITIALIZER_FAILED':
      return new InitializerError(facts, options);
    default:
      return new ShoalError(code, facts, options);
  }
}

/** An error as a message of a stream. `error` is what the user's code threw, encoded; empty where it threw nothing. */
export function writeCatalogueError(
  error: ShoalError,
  thrown: Uint8Array = new Uint8Array(0),
): CatalogueError {
  return CatalogueError.create({
    code: error.code,
    facts: writeFacts(error.facts),
    message: error.message,
    error: thrown,
  });
}

/** The error in a message of a stream. `cause` is what the user's code threw, decoded by the caller. */
export function readCatalogueError(written: CatalogueError, options?: ErrorOptions): ShoalError {
  return errorOf(written.code, readFacts(written.facts), written.message, options);
}

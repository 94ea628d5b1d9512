import { ShoalError } from '@shoal/errors';
import type { Address } from './address.ts';
import type { CallFailure, CallNumber, GiveUp } from './core/index.ts';
import { isOnTheWay } from './reconnection.ts';

/** So many errors are remembered: those of the calls that may still be open. */
const errorsMax = 16;

/** The errors of a job's calls: what each means for what comes next, and what is told of the one that the job is lost by. */
export class CallErrors {
  readonly #address: Address;
  readonly #errors: Map<CallNumber, unknown> = new Map();

  constructor(address: Address) {
    this.#address = address;
  }

  /** Remembers why a call failed. Answers what that means for what comes next. */
  keep(call: CallNumber, error: unknown): CallFailure {
    this.#errors.set(call, error);
    for (const old of this.#errors.keys()) {
      if (this.#errors.size <= errorsMax) break;
      this.#errors.delete(old);
    }
    return failureOf(error);
  }

  /** What a job rejects with that was given up. */
  lossOf(call: CallNumber, why: Exclude<GiveUp['why'], 'pastDeadline'>): unknown {
    if (why === 'restarted') {
      const error = this.#errors.get(call);
      const reason = error instanceof ShoalError ? error.facts['reason'] : undefined;
      if (typeof reason === 'string') return this.connectionLost(`it gave the job up: ${reason}`);
      return this.connectionLost('it was restarted, and the job is gone');
    }
    if (why === 'outOfStep') return this.connectionLost('it has not got all the items that it had');
    return this.#errors.get(call) ?? this.connectionLost('a batch of results was out of place');
  }

  connectionLost(reason: string): ShoalError {
    return new ShoalError('CONNECTION_LOST', { address: this.#address.text, reason });
  }
}

function failureOf(error: unknown): CallFailure {
  if (!(error instanceof ShoalError)) return { kind: 'final' };
  if (isOnTheWay(error)) return { kind: 'lostOnTheWay' };
  if (error.code === 'JOB_NOT_FOUND') return { kind: 'unknownJob' };
  const { next } = error.facts;
  if (error.code === 'ITEMS_OUT_OF_STEP' && typeof next === 'number') return { kind: 'outOfStep', next };
  return { kind: 'final' };
}

import type { ItemAttempt } from '@shoal/errors';
import type { FailedOutcome } from '../job-backend.ts';
import { decodeList } from '../values/block-codec.ts';
import type { ValueList } from '../values/number-list.ts';

/** Values of consecutive items as they came: `offset` values of `bytes` come before that of `first`. */
export interface Run {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** Which process sent them. */
  readonly ran: ItemAttempt | undefined;
}

/**
 * The values, from that of `first` on; or what is told of each item in their place, for task code runs where they were
 * written, and nobody on the way looks at them. Never throws.
 */
export function decodeRun({ bytes, offset, count, ran }: Run): ValueList | UnreadableRun {
  try {
    return decodeList(bytes, offset, count);
  } catch (error) {
    return new UnreadableRun(ran, error instanceof Error ? error.message : String(error));
  }
}

/** Bytes that came in place of results. */
export class UnreadableRun {
  readonly #ran: ItemAttempt | undefined;
  readonly #reason: string;

  constructor(ran: ItemAttempt | undefined, reason: string) {
    this.#ran = ran;
    this.#reason = reason;
  }

  outcome(index: number): FailedOutcome {
    const attempts = this.#ran === undefined ? [] : [this.#ran];
    return { index, code: 'RESULT_UNREADABLE', attempts, facts: { reason: this.#reason } };
  }
}

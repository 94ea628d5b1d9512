import type { Outcome, OutcomeBatch, ResultRun } from '@shoal/protocol';
import type { StoredOutcome } from './job.ts';

/**
 * Cuts delivered outcomes into messages of a good size: many small ones together, a big one in parts.
 *
 * It holds a position and nothing else: outcomes lie in the payload store until they are acknowledged, and are looked up
 * when there is room for a message. So a reader that stands still costs nothing more than that.
 */
export class OutcomeBatches {
  readonly #messageBytes: number;
  readonly #outcomeAt: (position: number) => StoredOutcome | undefined;
  readonly #onCut: () => void;
  #position: number;
  #upTo: number;
  /** Bytes of the run at `#position` that went out already, as parts. */
  #sentOfRun = 0;
  /** Outcomes from `#position` up to here were weighed: together so many bytes. */
  #weighedTo: number;
  #weighedBytes = 0;

  /** `messageBytes` is what one message should hold, about; outcomes from `position` on are wanted. Hears of each that is cut. */
  constructor(
    messageBytes: number,
    position: number,
    outcomeAt: (position: number) => StoredOutcome | undefined,
    onCut: () => void = () => {},
  ) {
    this.#messageBytes = messageBytes;
    this.#position = position;
    this.#upTo = position;
    this.#weighedTo = position;
    this.#outcomeAt = outcomeAt;
    this.#onCut = onCut;
  }

  /** The first outcome that has not gone out whole. */
  get position(): number {
    return this.#position;
  }

  get empty(): boolean {
    return this.#position >= this.#upTo;
  }

  /** Whether what may go out fills a message. Looks at each outcome once, until it has gone out. */
  get isAmple(): boolean {
    while (this.#weighedBytes < this.#messageBytes && this.#weighedTo < this.#upTo) {
      const next = this.#outcomeAt(this.#weighedTo);
      // Acknowledged, or without room: whoever sends finds out.
      if (next === undefined) return true;
      this.#weighedBytes += sizeOf(next);
      this.#weighedTo += next.count;
    }
    return this.#weighedBytes >= this.#messageBytes;
  }

  /** The outcomes before this position may go out. */
  offer(upTo: number): void {
    this.#upTo = Math.max(this.#upTo, upTo);
  }

  /** The next message; undefined when nothing is to go out, or when what is next is not there any more. */
  take(): OutcomeBatch | undefined {
    const batch: OutcomeBatch = { position: this.#position, outcomes: [] };
    this.#weighedBytes = 0;
    let bytes = 0;
    while (!this.empty) {
      const next = this.#outcomeAt(this.#position);
      if (next === undefined) break;
      const size = sizeOf(next);
      if (bytes > 0 && bytes + size > this.#messageBytes) break;
      if (next.kind === 'values' && size > this.#messageBytes) {
        batch.outcomes.push(this.#part(next));
        break;
      }
      batch.outcomes.push(wireOutcome(next));
      bytes += size;
      this.#position += next.count;
    }
    this.#weighedTo = this.#position;
    return batch.outcomes.length === 0 ? undefined : batch;
  }

  #part(outcome: StoredOutcome & { readonly kind: 'values' }): Outcome {
    const { payload } = outcome.run;
    const from = this.#sentOfRun;
    const to = Math.min(from + this.#messageBytes, payload.byteLength);
    const more = to < payload.byteLength;
    if (from === 0) this.#onCut();
    this.#sentOfRun = more ? to : 0;
    if (!more) this.#position += outcome.count;
    const totalBytes = from === 0 ? payload.byteLength : 0;
    return {
      outcome: { $case: 'run', value: { ...wireRun(outcome, payload.part(from, to)), more, totalBytes } },
    };
  }
}

function sizeOf(outcome: StoredOutcome): number {
  return (outcome.kind === 'values' ? outcome.run : outcome.failure).payload.byteLength;
}

function wireOutcome(outcome: StoredOutcome): Outcome {
  return outcome.kind === 'values'
    ? { outcome: { $case: 'run', value: wireRun(outcome, outcome.run.bytes) } }
    : { outcome: { $case: 'failure', value: outcome.failure.told } };
}

function wireRun(
  { first, count, offset, run }: StoredOutcome & { readonly kind: 'values' },
  payload: Uint8Array,
): ResultRun {
  const { agent, pid, runMs } = run;
  return { first, count, payload, payloadSkip: offset, more: false, totalBytes: 0, runMs, pid, agent };
}

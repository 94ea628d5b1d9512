import type { Outcome, OutcomeBatch, ResultRun } from '@shoal/protocol';
import type { StoredOutcome } from './job.ts';

/**
 * Cuts delivered outcomes into messages of a good size: many small ones together, a big one in parts.
 *
 * It holds references only; the bytes lie in the payload store until they are acknowledged.
 */
export class OutcomeBatches {
  readonly #messageBytes: number;
  readonly #waiting: StoredOutcome[] = [];
  #next = 0;
  /** Bytes of the first waiting run that went out already, as parts. */
  #sentOfRun = 0;

  /** `messageBytes` is what one message should hold, about. */
  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  get empty(): boolean {
    return this.#next === this.#waiting.length;
  }

  add(outcomes: readonly StoredOutcome[]): void {
    if (this.empty) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    for (const outcome of outcomes) this.#waiting.push(outcome);
  }

  /** The next message; undefined when nothing waits. */
  take(): OutcomeBatch | undefined {
    const head = this.#waiting[this.#next];
    if (head === undefined) return undefined;
    const batch: OutcomeBatch = { position: head.position, outcomes: [] };
    let bytes = 0;
    for (let each: StoredOutcome | undefined = head; each !== undefined; each = this.#waiting[this.#next]) {
      const size = sizeOf(each);
      if (bytes > 0 && bytes + size > this.#messageBytes) break;
      if (size > this.#messageBytes && each.kind === 'values') {
        batch.outcomes.push(this.#part(each));
        break;
      }
      batch.outcomes.push(wireOutcome(each));
      bytes += size;
      this.#next += 1;
    }
    return batch;
  }

  #part(outcome: StoredOutcome & { readonly kind: 'values' }): Outcome {
    const { bytes } = outcome.run;
    const from = this.#sentOfRun;
    const to = Math.min(from + this.#messageBytes, bytes.byteLength);
    const more = to < bytes.byteLength;
    this.#sentOfRun = more ? to : 0;
    if (!more) this.#next += 1;
    const totalBytes = from === 0 ? bytes.byteLength : 0;
    const value = { ...wireRun(outcome), payload: bytes.subarray(from, to), more, totalBytes };
    return { outcome: { $case: 'run', value } };
  }
}

function sizeOf(outcome: StoredOutcome): number {
  return outcome.kind === 'values' ? outcome.run.bytes.byteLength : outcome.failure.error.byteLength + 1024;
}

function wireOutcome(outcome: StoredOutcome): Outcome {
  return outcome.kind === 'values'
    ? { outcome: { $case: 'run', value: wireRun(outcome) } }
    : { outcome: { $case: 'failure', value: outcome.failure } };
}

function wireRun({ first, count, offset, run }: StoredOutcome & { readonly kind: 'values' }): ResultRun {
  return {
    first,
    count,
    payload: run.bytes,
    payloadSkip: offset,
    more: false,
    totalBytes: 0,
    runMs: run.runMs,
    pid: run.pid,
    agent: run.agent,
  };
}

import { FramedValues, type ItemFailure, writeFailure } from '@shoal/protocol';
import type { StoredRun } from '../payloads/payload.ts';
import { explainedFailure } from './final-failure.ts';
import type { Job, StoredOutcome } from './job.ts';
import type { Jobs } from './jobs.ts';

/** The values of a run from a position on. */
type RunRest = StoredOutcome & { readonly kind: 'values' };

/** What {@link MapOutcomes} are taken from. */
export interface OutcomesOf {
  readonly jobs: Jobs;
  readonly job: Job;
  /** The limit that an item had, which the job no longer knows once it has ended. */
  readonly timeoutMs: number;
}

/** The outcomes of one job as an answer to Map has them: each once, in the order of delivery, written from the runs. */
export class MapOutcomes {
  readonly #of: OutcomesOf;
  /** Outcomes before it may go out. */
  #offered = 0;
  #position = 0;
  /** The run that is being sent. */
  #open: { readonly run: StoredRun; readonly values: FramedValues } | undefined;

  constructor(of: OutcomesOf) {
    this.#of = of;
  }

  /** How many were taken. */
  get position(): number {
    return this.#position;
  }

  offered(upTo: number): void {
    this.#offered = upTo;
  }

  /** The next ones as they travel, about so many bytes at most; none where nothing more may go out yet. */
  take(bytesMax: number): Uint8Array[] {
    const { job, jobs } = this.#of;
    const written: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < bytesMax && this.#position < this.#offered) {
      const next = jobs.outcomeAt(job, this.#position);
      if (next === undefined) break;
      const piece =
        next.kind === 'values'
          ? this.#takeValues(next, bytesMax - bytes)
          : this.#takeFailure(next.first, next.failure.told);
      written.push(piece);
      bytes += piece.byteLength;
    }
    return written;
  }

  #takeFailure(index: number, failure: ItemFailure): Uint8Array {
    this.#position += 1;
    return writeFailure(index, explainedFailure(failure, this.#of.timeoutMs));
  }

  /**
   * The next values of one run, about so many bytes. They follow each other in the input as in the run, of which only a
   * part may have been accepted, or several with outcomes of other runs between them.
   */
  #takeValues({ first, count, offset, run }: RunRest, bytesMax: number): Uint8Array {
    const open = this.#open;
    const goesOn = open?.run === run && open.values.taken === offset;
    const values = goesOn ? open.values : new FramedValues(run.bytes, run.count, offset);
    const written = values.take(first, Math.min(count, this.#offered - this.#position), bytesMax);
    const taken = values.taken - offset;
    this.#position += taken;
    this.#open = taken < count ? { run, values } : undefined;
    return written;
  }
}

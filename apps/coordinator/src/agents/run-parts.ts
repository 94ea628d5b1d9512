import type { ResultRun } from '@shoal/protocol';
import type { AttemptId } from '@shoal/scheduler';
import { PartCollector } from '../bundles/part-collector.ts';

/** Runs of results that come in parts, one of each attempt at a time, until they are whole. */
export class RunParts {
  readonly #bytesMax: number;
  readonly #open = new Map<AttemptId, PartCollector<ResultRun>>();

  /** `maxResultBytes`: of one result. A run may be as big as its results together; the children keep to the limit of each. */
  constructor(maxResultBytes: number) {
    this.#bytesMax = maxResultBytes * 2;
  }

  /** The run that is whole with this part; undefined where more of it is to come. Throws `RESULT_TOO_LARGE`. */
  take(attempt: AttemptId, part: ResultRun): ResultRun | undefined {
    const known = this.#open.get(attempt);
    if (known === undefined && !part.more) return part;
    const collector =
      known ??
      new PartCollector<ResultRun>(
        this.#bytesMax,
        'shoal coordinator --max-result-bytes',
        'RESULT_TOO_LARGE',
      );
    this.#open.set(attempt, collector);
    const whole = collector.take(part);
    if (whole !== undefined) this.#open.delete(attempt);
    return whole;
  }

  /** Nothing more of the attempt counts. */
  forget(attempt: AttemptId): void {
    this.#open.delete(attempt);
  }
}

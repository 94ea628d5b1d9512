/**
 * Numbers that items have returned, one after another: kept as they travel, so that none becomes an object and nobody
 * has to look at them again. A child has one place for them, and the batch that results are gathered in borrows it.
 */
import { asIntegers } from '../values/number-list.ts';

// Taken before any task runs, for a task may put something else in their places.
const { Float64Array: Numbers } = globalThis;

export class NumberRun {
  readonly values: Float64Array<ArrayBuffer>;
  count = 0;
  #holder: object | undefined;

  /** `max`: how many it takes. */
  constructor(max: number) {
    this.values = new Numbers(max);
  }

  /** Whether these are the numbers of this batch from here on; not while another one has some here. */
  lendTo(batch: object): boolean {
    if (this.count > 0 && this.#holder !== batch) return false;
    this.#holder = batch;
    return true;
  }

  /** How many of them are this batch's. */
  countOf(batch: object): number {
    return this.#holder === batch ? this.count : 0;
  }

  /** Take them all, in half the memory where they are integers. Valid until the next one comes. */
  take(): Int32Array | Float64Array {
    const numbers = new Numbers(this.values.buffer, 0, this.count);
    this.count = 0;
    return asIntegers(numbers);
  }
}

import type { ItemRange } from '../identity.ts';

interface Settled extends ItemRange {
  readonly bytes: number;
}

/** Numbers of runs for which room stays, needed or not. */
const roomKept = 256;

/**
 * Outcomes between their making and their acknowledgement: which may go to the consumer, how much they weigh.
 *
 * An outcome is final the moment it comes in, and comes in once; whoever calls `settle` has made sure of that.
 * What waits is bounded, because nothing beyond acknowledged + window is ever pushed.
 */
export class ReorderBuffer {
  readonly #ordered: boolean;
  /** Settled and not delivered, by first item; made when the first one comes early. */
  #early: Map<number, Settled> | undefined;
  #earlyBytes = 0;
  /**
   * Delivered and not acknowledged, in order of delivery: count and bytes of each run, one after the other as numbers, from
   * `#oldest` to `#newest`. One array for the life of a job: a new one now and then would live just long enough to be
   * carried through the garbage collection, a thousand times for a thousand jobs.
   */
  readonly #unacknowledged: number[] = [];
  #oldest = 0;
  #newest = 0;
  #unacknowledgedBytes = 0;
  /** The delivery position behind the last outcome that was released. */
  #released = 0;
  #delivered = 0;
  #acknowledged = 0;

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  /** Outcomes delivered so far. In ordered jobs also the index of the item that comes next. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Outcomes that the consumer has. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Bytes delivered and not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.#unacknowledgedBytes;
  }

  /** All bytes of results that are held. */
  get bytes(): number {
    return this.#earlyBytes + this.#unacknowledgedBytes;
  }

  /** Takes outcomes in and answers what may be delivered now. */
  settle(first: number, count: number, bytes: number): ItemRange | undefined {
    if (!this.#ordered) {
      this.#deliver(count, bytes);
      return { first, count };
    }
    if (first !== this.#delivered) {
      this.#early ??= new Map();
      this.#early.set(first, { first, count, bytes });
      this.#earlyBytes += bytes;
      return undefined;
    }
    this.#deliver(count, bytes);
    const early = this.#early;
    for (let next = early?.get(this.#delivered); next; next = early?.get(this.#delivered)) {
      early?.delete(next.first);
      this.#earlyBytes -= next.bytes;
      this.#deliver(next.count, next.bytes);
    }
    return { first, count: this.#delivered - first };
  }

  /** The consumer has the first `position` outcomes. False when that is no news. */
  acknowledge(position: number): boolean {
    const acknowledged = Math.min(position, this.#delivered);
    if (acknowledged <= this.#acknowledged) return false;
    this.#acknowledged = acknowledged;
    // A run's bytes go when its last value does, as in the payload store.
    const runs = this.#unacknowledged;
    while (this.#oldest < this.#newest) {
      const count = runs[this.#oldest] as number;
      if (this.#released + count > acknowledged) break;
      this.#released += count;
      this.#unacknowledgedBytes -= runs[this.#oldest + 1] as number;
      this.#oldest += 2;
    }
    if (this.#oldest === this.#newest) this.#moveToFront();
    return true;
  }

  /** Settled ranges that wait for an earlier item, for checks; in no order. */
  early(): Iterable<ItemRange> {
    return this.#early?.values() ?? [];
  }

  #deliver(count: number, bytes: number): void {
    this.#delivered += count;
    const runs = this.#unacknowledged;
    // Before it grows; and only if at least as much is gone as has to move.
    if (this.#newest === runs.length && this.#oldest * 2 >= this.#newest) this.#moveToFront();
    runs[this.#newest] = count;
    runs[this.#newest + 1] = bytes;
    this.#newest += 2;
    this.#unacknowledgedBytes += bytes;
  }

  #moveToFront(): void {
    const runs = this.#unacknowledged;
    const length = this.#newest - this.#oldest;
    for (let at = 0; at < length; at += 1) runs[at] = runs[this.#oldest + at] as number;
    this.#oldest = 0;
    this.#newest = length;
    // A consumer that stopped for a while leaves much room that nobody needs any more.
    if (runs.length > roomKept && length * 8 < runs.length) runs.length = Math.max(roomKept, length * 4);
  }
}

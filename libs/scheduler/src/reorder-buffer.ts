import type { ItemRange } from './identity.ts';

interface Settled extends ItemRange {
  readonly bytes: number;
}

/**
 * Outcomes between their making and their acknowledgement: which may go to the consumer, how much they weigh.
 *
 * An outcome is final the moment it comes in, and comes in once; whoever calls `settle` has made sure of that.
 * What waits is bounded, because nothing beyond acknowledged + window is ever pushed.
 */
export class ReorderBuffer {
  readonly #ordered: boolean;
  /** Settled and not delivered, by first item. Empty in unordered jobs. */
  readonly #early: Map<number, Settled> = new Map();
  #earlyBytes = 0;
  /** Delivered and not acknowledged, in order of delivery; those before `#oldest` are gone. */
  #unacknowledged: Settled[] = [];
  #oldest = 0;
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
    const settled = { first, count, bytes };
    if (!this.#ordered) {
      this.#deliver(settled);
      return settled;
    }
    if (first !== this.#delivered) {
      this.#early.set(first, settled);
      this.#earlyBytes += bytes;
      return undefined;
    }
    this.#deliver(settled);
    for (let next = this.#early.get(this.#delivered); next; next = this.#early.get(this.#delivered)) {
      this.#early.delete(next.first);
      this.#earlyBytes -= next.bytes;
      this.#deliver(next);
    }
    return { first, count: this.#delivered - first };
  }

  /** The consumer has the first `position` outcomes. False when that is no news. */
  acknowledge(position: number): boolean {
    const acknowledged = Math.min(position, this.#delivered);
    if (acknowledged <= this.#acknowledged) return false;
    this.#acknowledged = acknowledged;
    // A run's bytes go when its last value does, as in the payload store.
    for (let run = this.#unacknowledged[this.#oldest]; run; run = this.#unacknowledged[this.#oldest]) {
      if (this.#released + run.count > acknowledged) break;
      this.#released += run.count;
      this.#unacknowledgedBytes -= run.bytes;
      this.#oldest += 1;
    }
    if (this.#oldest > 32 && this.#oldest * 2 > this.#unacknowledged.length) {
      this.#unacknowledged = this.#unacknowledged.slice(this.#oldest);
      this.#oldest = 0;
    }
    return true;
  }

  /** Settled ranges that wait for an earlier item, for checks; in no order. */
  early(): Iterable<ItemRange> {
    return this.#early.values();
  }

  #deliver(settled: Settled): void {
    this.#delivered += settled.count;
    this.#unacknowledged.push(settled);
    this.#unacknowledgedBytes += settled.bytes;
  }
}

import type { ItemRange } from '../identity.ts';

interface Held<B> {
  readonly first: number;
  readonly end: number;
  /** Items of it that are still needed. */
  open: number;
  /** Undefined once `open` is 0: its bytes are free although its place is still here. */
  block: B | undefined;
}

/**
 * Blocks of consecutive items in order, each held until its last item is released.
 *
 * One item may stay open for hours while everything after it comes and goes (an unordered job): places of released
 * blocks are swept out as soon as they outnumber the living, so that the list stays as long as what is needed.
 */
export class BlockList<B extends ItemRange> {
  #held: Array<Held<B>> = [];
  #dead = 0;
  /** Where the last search ended: the next one is for the same block nearly always. */
  #last = 0;
  #end = 0;

  /** Behind the last item that came in. */
  get end(): number {
    return this.#end;
  }

  /** Takes the next block in. Throws a RangeError when it leaves a gap, overlaps or is empty. */
  append(block: B): void {
    const { first, count } = block;
    if (count < 1 || first !== this.#end) {
      throw new RangeError(`a block of ${count} items from ${first} does not follow item ${this.#end - 1}`);
    }
    this.#end += count;
    this.#held.push({ first, end: this.#end, open: count, block });
  }

  /** The blocks that hold these items, in order. */
  touching(first: number, count: number): B[] {
    const found: B[] = [];
    for (let at = this.#indexOf(first); at < this.#held.length; at += 1) {
      const held = this.#held[at] as Held<B>;
      if (held.first >= first + count) break;
      if (held.block !== undefined) found.push(held.block);
    }
    return found;
  }

  /** The block that holds an item, if it is still held. */
  at(item: number): B | undefined {
    return this.#held[this.#indexOf(item)]?.block;
  }

  /**
   * These items are needed no more. Each is told once, except at the end, when all of them may be told again.
   * Answers the blocks that went with them.
   */
  release(first: number, count: number): B[] {
    const gone: B[] = [];
    for (let at = this.#indexOf(first); at < this.#held.length; at += 1) {
      const held = this.#held[at] as Held<B>;
      if (held.first >= first + count) break;
      held.open -= Math.min(held.end, first + count) - Math.max(held.first, first);
      if (held.open <= 0 && held.block !== undefined) {
        gone.push(held.block);
        held.block = undefined;
      }
    }
    this.#dead += gone.length;
    if (this.#dead > 16 && this.#dead * 2 > this.#held.length) {
      this.#held = this.#held.filter(({ open }) => open > 0);
      this.#dead = 0;
    }
    return gone;
  }

  /** The position of the first block that ends after `item`: where it was last time, or by halving. */
  #indexOf(item: number): number {
    const last = this.#held[this.#last];
    if (last !== undefined && last.first <= item && item < last.end) return this.#last;
    let low = 0;
    let high = this.#held.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#held[middle] as Held<B>).end <= item) low = middle + 1;
      else high = middle;
    }
    this.#last = low;
    return low;
  }
}

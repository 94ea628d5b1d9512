import type { ItemRange } from '../identity.ts';

interface Stretch {
  first: number;
  /** Behind the last item. */
  end: number;
}

/**
 * Items of a shard that have no outcome yet. It starts as one range and only ever shrinks.
 *
 * Results come nearly in order, so there is one stretch nearly always, and taking from its front moves a number: that one
 * is no object of its own.
 */
export class RangeSet {
  /** The one stretch, as long as there are not several. */
  #first: number;
  #end: number;
  /** Once there were several: disjoint, ascending, none empty. */
  #stretches: Stretch[] | undefined;
  #size: number;

  constructor(first: number, count: number) {
    this.#first = first;
    this.#end = first + count;
    this.#size = count;
  }

  /** Has it hold these items, whatever it held before. */
  reset(first: number, count: number): void {
    this.#first = first;
    this.#end = first + count;
    this.#size = count;
    this.#stretches = undefined;
  }

  /** How many items are in it. */
  get size(): number {
    return this.#size;
  }

  /** Takes out whatever of these items is in, and says what that was. */
  take(first: number, count: number): ItemRange[] {
    if (this.#stretches !== undefined) return this.#takeOf(this.#stretches, first, count);
    const from = Math.max(first, this.#first);
    const to = Math.min(first + count, this.#end);
    if (from >= to) return [];
    this.#size -= to - from;
    if (from === this.#first) this.#first = to;
    else {
      if (to < this.#end) {
        this.#stretches = [
          { first: this.#first, end: from },
          { first: to, end: this.#end },
        ];
      }
      this.#end = from;
    }
    return [{ first: from, count: to - from }];
  }

  /** Which of these items are in, ascending; they stay. */
  within(first: number, count: number): ItemRange[] {
    const end = first + count;
    const found: ItemRange[] = [];
    for (const stretch of this.#all()) {
      if (stretch.first >= end) break;
      const from = Math.max(first, stretch.first);
      const to = Math.min(end, stretch.end);
      if (from < to) found.push({ first: from, count: to - from });
    }
    return found;
  }

  /** How many items are in this one and in the other. */
  overlap(other: RangeSet): number {
    let items = 0;
    for (const { first, end } of this.#all()) {
      for (const { count } of other.within(first, end - first)) items += count;
    }
    return items;
  }

  /** What is in it, ascending. */
  ranges(): ItemRange[] {
    return this.#all().map(({ first, end }) => ({ first, count: end - first }));
  }

  #takeOf(stretches: Stretch[], first: number, count: number): ItemRange[] {
    const end = first + count;
    const taken: ItemRange[] = [];
    for (let at = 0; at < stretches.length; ) {
      const stretch = stretches[at] as Stretch;
      if (stretch.first >= end) break;
      const from = Math.max(first, stretch.first);
      const to = Math.min(end, stretch.end);
      if (from >= to) {
        at += 1;
        continue;
      }
      taken.push({ first: from, count: to - from });
      this.#size -= to - from;
      if (from > stretch.first && to < stretch.end) {
        stretches.splice(at + 1, 0, { first: to, end: stretch.end });
        stretch.end = from;
      } else if (from > stretch.first) {
        stretch.end = from;
        at += 1;
      } else if (to < stretch.end) {
        stretch.first = to;
      } else {
        stretches.splice(at, 1);
      }
    }
    return taken;
  }

  #all(): readonly Stretch[] {
    if (this.#stretches !== undefined) return this.#stretches;
    return this.#first < this.#end ? [{ first: this.#first, end: this.#end }] : [];
  }
}

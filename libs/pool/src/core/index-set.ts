import type { IndexRange } from './chunk.ts';

/**
 * Indices as sorted, disjoint ranges: what of a part is not reported, what of a chunk is not given out.
 *
 * Items finish almost in order, so there are few ranges and a plain array is quicker than anything clever.
 */
export class IndexSet {
  readonly #ranges: { first: number; count: number }[] = [];
  #size = 0;

  constructor(ranges: Iterable<IndexRange> = []) {
    for (const range of ranges) this.add(range);
  }

  get size(): number {
    return this.#size;
  }

  ranges(): IndexRange[] {
    return this.#ranges.map(({ first, count }) => ({ first, count }));
  }

  has(index: number): boolean {
    return this.#ranges.some(({ first, count }) => index >= first && index < first + count);
  }

  /** Add indices of which none is in the set. */
  add({ first, count }: IndexRange): void {
    if (count === 0) return;
    if (this.#ranges.length === 0) {
      this.#ranges.push({ first, count });
      this.#size = count;
      return;
    }
    const at = this.#ranges.findIndex((range) => range.first > first);
    const place = at === -1 ? this.#ranges.length : at;
    this.#ranges.splice(place, 0, { first, count });
    this.#size += count;
    this.#join(place);
    if (place > 0) this.#join(place - 1);
  }

  /** Take indices out. False, and nothing changes, unless all of them are in the set. */
  remove({ first, count }: IndexRange): boolean {
    const at = this.#ranges.findIndex(
      (range) => first >= range.first && first + count <= range.first + range.count,
    );
    const range = this.#ranges[at];
    if (range === undefined || count < 1) return false;
    const after = range.first + range.count - (first + count);
    const before = first - range.first;
    if (before > 0 && after > 0) {
      range.count = before;
      this.#ranges.splice(at + 1, 0, { first: first + count, count: after });
    } else if (before > 0) {
      range.count = before;
    } else if (after > 0) {
      range.first = first + count;
      range.count = after;
    } else {
      this.#ranges.splice(at, 1);
    }
    this.#size -= count;
    return true;
  }

  /** Take up to `max` consecutive indices from the front. */
  takeFirst(max: number): IndexRange | undefined {
    const range = this.#ranges[0];
    if (range === undefined || max < 1) return undefined;
    const taken = { first: range.first, count: Math.min(range.count, max) };
    this.remove(taken);
    return taken;
  }

  #join(at: number): void {
    const left = this.#ranges[at];
    const right = this.#ranges[at + 1];
    if (left === undefined || right === undefined || left.first + left.count !== right.first) return;
    left.count += right.count;
    this.#ranges.splice(at + 1, 1);
  }
}

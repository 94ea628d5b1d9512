import type { History } from '../attempts/blame.ts';
import type { ItemRange } from '../identity.ts';

/** Consecutive items that went through the same things. */
export interface HistoryRange extends ItemRange {
  readonly history: History;
}

/**
 * What the items of an attempt have been through. One history for all of them nearly always: it differs only where
 * another attempt at some of them came to something while this one ran.
 */
export class HistoryMap {
  /** Disjoint, ascending, without a gap. */
  #ranges: readonly HistoryRange[];

  constructor(shard: HistoryRange) {
    this.#ranges = [shard];
  }

  /** These items have this history from now on. */
  set(changed: HistoryRange): void {
    const end = changed.first + changed.count;
    const before = this.of({ first: 0, count: changed.first });
    const after = this.of({ first: end, count: Number.MAX_SAFE_INTEGER - end });
    this.#ranges = [...before, changed, ...after];
  }

  /** The histories of these items, ascending. */
  of({ first, count }: ItemRange): HistoryRange[] {
    const end = first + count;
    return this.#ranges.flatMap(({ history, ...range }) => {
      const from = Math.max(first, range.first);
      const to = Math.min(end, range.first + range.count);
      return from < to ? [{ first: from, count: to - from, history }] : [];
    });
  }
}

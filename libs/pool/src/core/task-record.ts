import type { IndexRange } from './chunk.ts';

/** Of the ranges of items that may have ended a server the oldest are forgotten. */
const suspectsMax = 1_000;

/**
 * What the pool has learned about one function: how long an item takes, whether loading it kills children, and which items were
 * running when a server died.
 */
export class TaskRecord {
  /** Milliseconds an item takes, smoothed; undefined until measured. */
  itemMs: number | undefined;
  #outsideDeaths: number[] = [];
  #suspects: IndexRange[] = [];

  /** Their child died with its server. */
  lostServer(items: readonly IndexRange[]): void {
    this.#suspects = [...this.#suspects, ...items].slice(-suspectsMax);
  }

  /** Their chunk has ended in another way. */
  acquit({ first, count }: IndexRange): void {
    if (this.#suspects.length === 0) return;
    this.#suspects = this.#suspects.flatMap((range) => {
      const end = range.first + range.count;
      const before = { first: range.first, count: Math.min(end, first) - range.first };
      const from = Math.max(range.first, first + count);
      return [before, { first: from, count: end - from }].filter((rest) => rest.count > 0);
    });
  }

  /** Whether one of them was running when a server died, and has not ended since. */
  hasSuspect({ first, count }: IndexRange): boolean {
    return this.#suspects.some((range) => range.first < first + count && first < range.first + range.count);
  }

  measured(items: number, runMs: number): void {
    const sample = runMs / items;
    this.itemMs = this.itemMs === undefined ? sample : (this.itemMs + sample) / 2;
    // Whatever kills its children, it gets its items done; the deaths end when the items do.
    if (this.#outsideDeaths.length > 0) this.#outsideDeaths = [];
  }

  /** A child died with this function loaded or loading, and no item of it was running. True: give up. */
  diedOutsideItems(atMs: number, deathsMax: number, withinMs: number): boolean {
    this.#outsideDeaths.push(atMs);
    this.#outsideDeaths = this.#outsideDeaths.filter((at) => at > atMs - withinMs);
    if (this.#outsideDeaths.length <= deathsMax) return false;
    this.#outsideDeaths = [];
    return true;
  }
}

/** The records of the functions seen last; what was learned about older ones is forgotten. */
export class TaskRecords {
  readonly #records = new Map<string, TaskRecord>();
  readonly #max: number;

  constructor(max: number = 1_000) {
    this.#max = max;
  }

  of(task: string): TaskRecord {
    const known = this.#records.get(task);
    if (known !== undefined) return known;
    const oldest = this.#records.size >= this.#max ? this.#records.keys().next() : undefined;
    if (oldest !== undefined && oldest.done !== true) this.#records.delete(oldest.value);
    const record = new TaskRecord();
    this.#records.set(task, record);
    return record;
  }
}

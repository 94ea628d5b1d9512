import type { IndexRange } from './chunk.ts';

/** Of the ranges of items that may have ended a server the oldest are forgotten. */
const suspectsMax = 1_000;

/** A guess is one of what many items take together: of few of them each may take unlike all before it. */
const guessedItemsMin = 64;

/**
 * What the pool has learned about one function: how long an item takes, whether loading it kills children, and which items were
 * running when a server died.
 */
export class TaskRecord {
  /** Milliseconds an item takes, smoothed; undefined until measured. */
  itemMs: number | undefined;
  /** What one of the function of its kind took that was seen last; undefined: none was. */
  readonly #guessedMs: number | undefined;
  #outsideDeaths: number[] = [];
  #suspects: IndexRange[] = [];

  constructor(guessedMs?: number) {
    this.#guessedMs = guessedMs;
  }

  /** What an item probably takes. */
  get likelyMs(): number | undefined {
    return this.itemMs ?? this.#guessedMs;
  }

  /** How long so many items of it take; without a measurement, and of few without one of their own, for ever. */
  estimateMs(items: number): number {
    const ms = items < guessedItemsMin ? this.itemMs : this.likelyMs;
    return (ms ?? Number.POSITIVE_INFINITY) * items;
  }

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
  /** By kind the record that was made last: how long its items take is what those of the next one will. */
  readonly #kinds = new Map<string, TaskRecord>();
  readonly #max: number;

  constructor(max: number = 1_000) {
    this.#max = max;
  }

  /** `kind` is told with the first chunk; undefined: its items are like no others. */
  of(task: string, kind?: string): TaskRecord {
    const known = this.#records.get(task);
    if (known !== undefined) return known;
    const record = new TaskRecord(kind === undefined ? undefined : this.#kinds.get(kind)?.likelyMs);
    if (kind !== undefined) this.#keep(this.#kinds, kind, record);
    this.#keep(this.#records, task, record);
    return record;
  }

  /** As the newest; the oldest goes where they are too many. */
  #keep(records: Map<string, TaskRecord>, key: string, record: TaskRecord): void {
    records.delete(key);
    const oldest = records.size >= this.#max ? records.keys().next() : undefined;
    if (oldest !== undefined && oldest.done !== true) records.delete(oldest.value);
    records.set(key, record);
  }
}

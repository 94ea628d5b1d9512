/** What the pool has learned about one function: how long an item takes, and whether loading it kills children. */
export class TaskRecord {
  /** Milliseconds an item takes, smoothed; undefined until measured. */
  itemMs: number | undefined;
  #outsideDeaths: number[] = [];

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

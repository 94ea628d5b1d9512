import type { JobRecord } from './job-record.ts';

/** Jobs that wait for a client to come back. All wait equally long, so the first one is due first. */
export class Vigil {
  readonly graceMs: number;
  readonly #since: Map<JobRecord, number> = new Map();

  constructor(graceMs: number) {
    this.graceMs = graceMs;
  }

  /** Those that wait, the longest first. */
  get records(): IterableIterator<JobRecord> {
    return this.#since.keys();
  }

  has(record: JobRecord): boolean {
    return this.#since.has(record);
  }

  begin(record: JobRecord, nowMs: number): void {
    this.#since.set(record, nowMs);
  }

  end(record: JobRecord): void {
    this.#since.delete(record);
  }

  /** The time that the coordinator itself stood still does not count. */
  credit(stalledMs: number): void {
    for (const [record, sinceMs] of this.#since) this.#since.set(record, sinceMs + stalledMs);
  }

  /** When the first of them has waited long enough. */
  dueMs(): number | undefined {
    const [sinceMs] = this.#since.values();
    return sinceMs === undefined ? undefined : sinceMs + this.graceMs;
  }

  /** Takes one out that has waited long enough. */
  takeDue(nowMs: number): JobRecord | undefined {
    const [first] = this.#since;
    if (first === undefined) return undefined;
    const [record, sinceMs] = first;
    if (sinceMs + this.graceMs > nowMs) return undefined;
    this.#since.delete(record);
    return record;
  }
}

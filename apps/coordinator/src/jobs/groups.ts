import type { Driver } from '../driver.ts';

/**
 * The groups of jobs that somebody can still use: those with a job that is not over, and those that a client holds.
 *
 * The children of all others have nobody to serve: a group's id is its client's own.
 */
export class Groups {
  readonly #driver: Driver;
  /** How each hold of a group is ended from here. */
  readonly #holds = new Map<string, Set<() => void>>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** A client holds the group until the returned function is called; `end` is called when the coordinator stops. */
  hold(group: string, end: () => void): () => void {
    const holds = this.#holds.get(group) ?? new Set();
    this.#holds.set(group, holds);
    // Several holds of one group may share their `end`.
    const hold = (): void => end();
    holds.add(hold);
    return () => {
      holds.delete(hold);
      if (holds.size === 0 && this.#holds.get(group) === holds) this.#holds.delete(group);
    };
  }

  /** Whether somebody may still use the children of a group. */
  isOpen(group: string): boolean {
    if (this.#holds.has(group)) return true;
    for (const { end, id, request } of this.#driver.jobs.values()) {
      if (end === undefined && (request.options.group?.id || id) === group) return true;
    }
    return false;
  }

  /** Ends every hold. */
  close(): void {
    for (const holds of [...this.#holds.values()]) for (const end of [...holds]) end();
  }
}

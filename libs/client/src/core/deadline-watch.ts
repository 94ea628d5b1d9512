import { deadlineSilenceMs } from './client-limits.ts';

/**
 * A job's deadline as its client sees it.
 *
 * The coordinator ends the job at its deadline, and its last outcomes come before that word: while it is heard, it is the
 * judge. One that has fallen silent is no excuse for a client that waits beyond its deadline.
 */
export class DeadlineWatch {
  #judgeAtMs: number | undefined;
  #isPast = false;
  #heardAtMs = Number.NEGATIVE_INFINITY;

  constructor(deadlineAtMs: number | undefined) {
    this.#judgeAtMs = deadlineAtMs;
  }

  /** When {@link isOver} has to be asked; undefined where there is no deadline. */
  get judgeAtMs(): number | undefined {
    return this.#judgeAtMs;
  }

  /** The coordinator is there, whatever it said. */
  heard(nowMs: number): void {
    this.#heardAtMs = nowMs;
    if (this.#isPast) this.#judgeAtMs = nowMs + deadlineSilenceMs;
  }

  /**
   * Whether the deadline has passed and nobody else will say so. `brokenSinceMs`: the connection is known to be broken, and
   * since when.
   */
  isOver(nowMs: number, brokenSinceMs: number | undefined): boolean {
    if (this.#judgeAtMs === undefined || nowMs < this.#judgeAtMs) return false;
    if (this.#isPast) return true;
    this.#isPast = true;
    // Counted from here, not from the deadline: a client that stood still meanwhile has not listened yet. A connection that
    // broke before has had a part of that time, or all of it, to come back; it is back for one call before it is for others.
    const silentSinceMs = brokenSinceMs === undefined ? nowMs : Math.max(brokenSinceMs, this.#heardAtMs);
    this.#judgeAtMs = silentSinceMs + deadlineSilenceMs;
    return this.#judgeAtMs <= nowMs;
  }
}

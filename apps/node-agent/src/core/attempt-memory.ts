import type { AttemptId } from './agent-event.ts';

/**
 * What is remembered of attempts of this epoch by their numbers alone: those that were dispatched here, and those that were taken
 * back before they came, for control may overtake data.
 *
 * Both are bounded. A dispatched one that is forgotten counts as dispatched, with all that is below it: numbers rise,
 * and what comes that late was given to others long ago. One taken back that is forgotten would be started, listed by
 * the next heartbeat, and dropped by its answer.
 */
export class AttemptMemory {
  readonly #dispatched: RecentAttempts;
  readonly #revokedAhead: RecentAttempts;
  #floor = 0;

  constructor(max: number) {
    this.#dispatched = new RecentAttempts(max);
    this.#revokedAhead = new RecentAttempts(max);
  }

  /** How much is remembered. */
  get size(): { readonly dispatched: number; readonly revokedAhead: number } {
    return { dispatched: this.#dispatched.size, revokedAhead: this.#revokedAhead.size };
  }

  /** An attempt comes: for the first time, again, or after it was taken back. */
  dispatched(attempt: AttemptId): 'first' | 'again' | 'revoked' {
    if (this.#knows(attempt)) return 'again';
    this.#floor = Math.max(this.#floor, this.#dispatched.add(attempt) ?? 0);
    return this.#revokedAhead.has(attempt) ? 'revoked' : 'first';
  }

  /** An attempt that the agent does not hold is taken back: it was over, or is still to come. */
  revoked(attempt: AttemptId): void {
    if (!this.#knows(attempt) && !this.#revokedAhead.has(attempt)) this.#revokedAhead.add(attempt);
  }

  /** Numbers start anew. */
  epochBegan(): void {
    this.#dispatched.clear();
    this.#floor = 0;
    this.#revokedAhead.clear();
  }

  #knows(attempt: AttemptId): boolean {
    return attempt <= this.#floor || this.#dispatched.has(attempt);
  }
}

/** The last attempts that were added, so many at most. */
class RecentAttempts {
  readonly #max: number;
  readonly #attempts = new Set<AttemptId>();
  /** In the order in which they came, in a ring: the first entry of a set is dear to find where many were deleted. */
  readonly #ring: AttemptId[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#attempts.size;
  }

  has(attempt: AttemptId): boolean {
    return this.#attempts.has(attempt);
  }

  /** Returns the one that is forgotten for it, if there is one. */
  add(attempt: AttemptId): AttemptId | undefined {
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#attempts.delete(oldest);
    this.#attempts.add(attempt);
    this.#ring[this.#next] = attempt;
    this.#next = (this.#next + 1) % this.#max;
    return oldest;
  }

  clear(): void {
    this.#attempts.clear();
    this.#ring.length = 0;
    this.#next = 0;
  }
}

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
  readonly #max: number;
  /** In the order in which they came. */
  readonly #dispatched = new Set<AttemptId>();
  #floor = 0;
  readonly #revokedAhead = new Set<AttemptId>();

  constructor(max: number) {
    this.#max = max;
  }

  /** How much is remembered. */
  get size(): { readonly dispatched: number; readonly revokedAhead: number } {
    return { dispatched: this.#dispatched.size, revokedAhead: this.#revokedAhead.size };
  }

  /** An attempt comes: for the first time, again, or after it was taken back. */
  dispatched(attempt: AttemptId): 'first' | 'again' | 'revoked' {
    if (this.#knows(attempt)) return 'again';
    this.#dispatched.add(attempt);
    this.#floor = Math.max(this.#floor, this.#forgetOldest(this.#dispatched) ?? 0);
    return this.#revokedAhead.delete(attempt) ? 'revoked' : 'first';
  }

  /** An attempt that the agent does not hold is taken back: it was over, or is still to come. */
  revoked(attempt: AttemptId): void {
    if (this.#knows(attempt)) return;
    this.#revokedAhead.add(attempt);
    this.#forgetOldest(this.#revokedAhead);
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

  #forgetOldest(attempts: Set<AttemptId>): AttemptId | undefined {
    const [oldest] = attempts;
    if (attempts.size <= this.#max || oldest === undefined) return undefined;
    attempts.delete(oldest);
    return oldest;
  }
}

/**
 * Keeps the pool at its full size, with and without work: children that were asked for in advance, and their
 * successors after a death. Without such a wish children come with the work.
 */
import type { ChildRecord } from './child-record.ts';
import type { WarmRequested } from './pool-event.ts';
import type { PoolState } from './pool-state.ts';

export class FullSize {
  readonly #state: PoolState;
  #wish: WarmRequested | undefined;
  /** When children failed to start, and when they died with nothing to do, as far back as it matters. */
  readonly #failures: { starts: readonly number[]; idle: readonly number[] } = { starts: [], idle: [] };
  #heldUntilMs = Number.NEGATIVE_INFINITY;

  constructor(state: PoolState) {
    this.#state = state;
  }

  request(wish: WarmRequested): void {
    this.#wish = wish;
  }

  /** Whoever keeps failing without work must not cost one process after the other: the next start waits for work. */
  exited(child: ChildRecord, atMs: number): void {
    const { limits, processes } = this.#state;
    if (child.state === 'retiring' || child.endsByOurWill || child.parts.length > 0) return;
    const kind = child.wasReady ? 'idle' : 'starts';
    const since = atMs - limits.outsideDeathsWithinMs;
    this.#failures[kind] = [...this.#failures[kind].filter((failedMs) => failedMs > since), atMs];
    const max = kind === 'idle' ? limits.outsideDeathsMax * processes : limits.startFailuresMax;
    if (this.#failures[kind].length > max) this.#heldUntilMs = atMs + limits.outsideDeathsWithinMs;
  }

  /** Start whoever is missing. */
  fill(atMs: number): void {
    const { children, processes, isClosing } = this.#state;
    if (this.#wish === undefined || isClosing || atMs < this.#heldUntilMs) return;
    const { key, count } = this.#wish;
    let missing = Math.min(count, processes);
    let room = processes;
    for (const child of children.values()) {
      if (!child.isMember) continue;
      room -= 1;
      if (child.key === key) missing -= 1;
    }
    for (let n = Math.min(missing, room); n > 0; n--) this.#state.spawn(key, undefined, false, this.#wish);
  }
}

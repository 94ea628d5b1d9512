import type { CoordinatorEvent } from '../core/index.ts';

/**
 * Where every event goes before its commands are carried out: the one way in which the coordinator's state changes.
 *
 * An event holds all that its step depends on, so a core that is fed the same events again has the same state. See
 * docs/decisions/0004-events-before-effects.md for what a durable one will do here.
 */
export interface EventLog {
  append(event: CoordinatorEvent): void;
  /** The last events, the oldest first: what to tell of a state that should not be. */
  readonly recent: readonly CoordinatorEvent[];
}

/** Keeps the last events, for whoever has to find out what led to an impossible state. */
export class RecentEvents implements EventLog {
  readonly #most: number;
  readonly #events: CoordinatorEvent[] = [];
  #next = 0;

  constructor(most: number = 256) {
    this.#most = most;
  }

  append(event: CoordinatorEvent): void {
    this.#events[this.#next] = event;
    this.#next = (this.#next + 1) % this.#most;
  }

  get recent(): readonly CoordinatorEvent[] {
    return [...this.#events.slice(this.#next), ...this.#events.slice(0, this.#next)];
  }
}

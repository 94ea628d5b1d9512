import type { LimitName } from '@shoal/protocol';
import type { EventFeed } from './event-feed.ts';

const tellEveryMs = 1_000;
/** Nobody does anything wrong who reaches them. */
const ordinary: readonly LimitName[] = ['idleMs', 'concurrentStreams', 'keepaliveMs', 'partBytes'];

/** What is known of one limit that was reached. */
interface Reached {
  times: number;
  told: number;
  toldAtMs: number;
}

/** How often each limit was reached, since the coordinator started: what `limits_reached` of its status shows. */
export class LimitCounts {
  readonly #feed: EventFeed;
  readonly #now: () => number;
  readonly #reached: Map<LimitName, Reached> = new Map();

  constructor(feed: EventFeed, now: () => number) {
    this.#feed = feed;
    this.#now = now;
  }

  /** Counted. */
  reached(limit: LimitName): void {
    this.#of(limit).times += 1;
  }

  /**
   * Counted, and told with who it was: something that its peer may never be told, since it is not let in. Once a second
   * at most: whoever opens connections must not fill the disk as well.
   */
  refused(limit: LimitName, peer: string): void {
    const reached = this.#of(limit);
    reached.times += 1;
    if (ordinary.includes(limit)) return;
    const nowMs = this.#now();
    if (nowMs - reached.toldAtMs < tellEveryMs) return;
    const times = reached.times - reached.told;
    reached.told = reached.times;
    reached.toldAtMs = nowMs;
    const message = `${peer} reached the limit ${limit} (docs/limits.md)`;
    this.#feed.tell('limit.reached', { limit, peer, times }, message, 'warn');
  }

  /** Those that were reached at least once. */
  all(): Record<string, number> {
    return Object.fromEntries([...this.#reached].map(([limit, { times }]) => [limit, times]));
  }

  #of(limit: LimitName): Reached {
    let reached = this.#reached.get(limit);
    if (reached === undefined) {
      reached = { times: 0, told: 0, toldAtMs: Number.NEGATIVE_INFINITY };
      this.#reached.set(limit, reached);
    }
    return reached;
  }
}

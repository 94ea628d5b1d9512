import type { LimitName } from '@shoal/protocol';
import type { EventFeed } from './event-feed.ts';
import { ToldCounts } from './told-counts.ts';

/** Nobody does anything wrong who reaches them. */
const ordinary: readonly LimitName[] = ['idleMs', 'concurrentStreams', 'keepaliveMs', 'partBytes'];

/** How often each limit was reached, since the coordinator started: what `limits_reached` of its status shows. */
export class LimitCounts {
  readonly #feed: EventFeed;
  readonly #counts: ToldCounts<LimitName>;

  constructor(feed: EventFeed, now: () => number) {
    this.#feed = feed;
    this.#counts = new ToldCounts(now);
  }

  /** Counted. */
  reached(limit: LimitName): void {
    this.#counts.add(limit);
  }

  /**
   * Counted, and told with who it was: something that its peer may never be told, since it is not let in. Once a second
   * at most: whoever opens connections must not fill the disk as well.
   */
  refused(limit: LimitName, peer: string): void {
    this.#counts.add(limit);
    if (ordinary.includes(limit)) return;
    const times = this.#counts.toTell(limit);
    if (times === undefined) return;
    const message = `${peer} reached the limit ${limit} (docs/limits.md)`;
    this.#feed.tell('limit.reached', { limit, peer, times }, message, 'warn');
  }

  /** Those that were reached at least once. */
  all(): Record<string, number> {
    return this.#counts.all();
  }
}

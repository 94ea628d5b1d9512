/** Reading the memory in use takes microseconds: not more often than this, in ms. */
const checkMs = 5;
/** Where nothing depends on it, it is read for statistics alone. */
const statisticsMs = 500;

const rssBytes: () => number = process.memoryUsage.rss.bind(process.memoryUsage);

/** Watches how much memory this process takes, between items. */
export class MemoryWatch {
  /** Above this it is time to go. */
  maxRssBytes: number = Number.POSITIVE_INFINITY;
  /** As of the last check. */
  rssBytes = 0;
  #checkedAt = Number.NEGATIVE_INFINITY;

  /** Look, if the last look was long enough ago. True: there is too much. */
  check(atMs: number): boolean {
    const everyMs = this.maxRssBytes === Number.POSITIVE_INFINITY ? statisticsMs : checkMs;
    if (atMs - this.#checkedAt >= everyMs) {
      this.#checkedAt = atMs;
      this.rssBytes = rssBytes();
    }
    return this.rssBytes > this.maxRssBytes;
  }
}

/**
 * A message with results costs two processes half a millisecond, and many times that where they share CPUs and caches with
 * the children. So when one has just gone out, results wait so long for others: not as long as children keep theirs.
 */
const usualGatherMs = 50;
/** Whoever lets them wait longer may as well have asked later. */
const gatherMsMax = 1_000;

/** When results leave for the client of a job: at once, or with those that come soon after. */
export class ResultPace {
  readonly #gatherMs: number;
  #sentAtMs = Number.NEGATIVE_INFINITY;

  /** `gatherMs` is how long its client lets results wait, where it says so. */
  constructor(gatherMs: number = usualGatherMs) {
    this.#gatherMs = Math.min(gatherMs, gatherMsMax);
  }

  /** A message has gone out. */
  sent(nowMs: number): void {
    this.#sentAtMs = nowMs;
  }

  /**
   * How long results that have come now may wait for others; 0: not at all.
   *
   * `inputEnded`: until the coordinator has the whole input its producer goes on as results are taken, and must not stand
   * still. `isAmple`: they fill a message already.
   */
  waitMs(nowMs: number, { inputEnded, isAmple }: { inputEnded: boolean; isAmple: boolean }): number {
    return inputEnded && !isAmple ? Math.max(0, this.#sentAtMs + this.#gatherMs - nowMs) : 0;
  }
}

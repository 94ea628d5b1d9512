/** What a {@link Pace} is made for. */
export interface PaceOptions {
  readonly items: number;
  /** How long all of them together are to take, in milliseconds. */
  readonly forMs: number;
  /** How many run at a time when nothing is wrong. */
  readonly slots: number;
}

/** What is assumed of the slots' use until it is known. */
const useAtFirst = 0.6;
const knownAfterMs = 20_000;
const [itemMsMin, itemMsMax] = [1, 200];

/**
 * How long an item should take, so that so many of them last so long: what remains of the time of all slots, less what faults
 * have made of it so far, shared by the items that remain. Only an item's duration depends on it, never its outcome.
 */
export class Pace {
  readonly #options: PaceOptions;
  #done = 0;
  #workMs = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** An item of this duration has its outcome. */
  delivered(itemMs: number): void {
    this.#done += 1;
    this.#workMs += itemMs;
  }

  /** For an item that is made now. */
  itemMs(elapsedMs: number): number {
    const { forMs, items, slots } = this.#options;
    const use = elapsedMs < knownAfterMs ? useAtFirst : this.#workMs / (slots * elapsedMs);
    const itemMs = (slots * use * (forMs - elapsedMs)) / Math.max(1, items - this.#done);
    return Math.min(itemMsMax, Math.max(itemMsMin, Math.round(itemMs)));
  }
}

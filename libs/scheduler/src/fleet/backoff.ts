/** What a backoff needs to know. */
export interface BackoffOptions {
  readonly backoffMs: number;
  readonly backoffMsMax: number;
  readonly seed: number;
}

/**
 * How long a retry waits: full jitter, a random time between 0 and a bound that doubles with each retry.
 *
 * The chance comes from a seed, so that the same events give the same commands.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #state: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#state = options.seed | 0;
  }

  /** The wait before the `retry`-th retry (from 1), in whole milliseconds. */
  delayMs(retry: number): number {
    const { backoffMs, backoffMsMax } = this.#options;
    const bound = Math.min(backoffMsMax, backoffMs * 2 ** (retry - 1));
    return Math.floor(this.#random() * (bound + 1));
  }

  /** mulberry32: 32 bits of state, even enough for jitter. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

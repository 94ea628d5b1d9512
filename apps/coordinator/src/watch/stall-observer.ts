const beatMs = 250;
const stallMs = 1000;

/**
 * Watches the event loop: a timer that comes much too late means that this process stood still.
 *
 * Heartbeats that arrived meanwhile were not read, so nobody may be judged for that time (`StallObserved`).
 */
export class StallObserver {
  readonly #timer: NodeJS.Timeout;
  readonly #onStall: (stalledMs: number) => void;
  readonly #now: () => number;
  #lastMs: number;

  /** `onStall` gets the time lost; `now` is a monotonic clock in milliseconds. */
  constructor(onStall: (stalledMs: number) => void, now: () => number) {
    this.#onStall = onStall;
    this.#now = now;
    this.#lastMs = now();
    this.#timer = setInterval(() => this.#beat(), beatMs);
    this.#timer.unref();
  }

  /** Tells of a stall that is not told yet: whoever is about to judge others asks first, for no timer comes before all others. */
  look(): void {
    if (this.#now() - this.#lastMs - beatMs >= stallMs) this.#beat();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    const at = this.#now();
    const lostMs = at - this.#lastMs - beatMs;
    this.#lastMs = at;
    if (lostMs >= stallMs) this.#onStall(lostMs);
  }
}

const beatMs = 250;
const stallMs = 1000;

/**
 * Watches the event loop: a timer that comes much too late means that this process stood still.
 *
 * Heartbeats that arrived meanwhile were not read, so nobody may be judged for that time (`StallObserved`).
 */
export class StallObserver {
  readonly #timer: NodeJS.Timeout;
  #lastMs: number;

  /** `onStall` gets the time lost; `now` is a monotonic clock in milliseconds. */
  constructor(onStall: (stalledMs: number) => void, now: () => number) {
    this.#lastMs = now();
    this.#timer = setInterval(() => {
      const at = now();
      const lostMs = at - this.#lastMs - beatMs;
      this.#lastMs = at;
      if (lostMs >= stallMs) onStall(lostMs);
    }, beatMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

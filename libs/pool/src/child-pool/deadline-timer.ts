/** A timer for the next of many deadlines. It keeps no process alive: whoever waits for a result does that. */
export class DeadlineTimer {
  readonly #reached: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs: number | undefined;

  /** `reached` is called once for each deadline that was set and not replaced. */
  constructor(reached: () => void) {
    this.#reached = reached;
  }

  /** The next deadline on the clock of `performance.now()`; undefined: there is none. */
  set(atMs: number | undefined): void {
    if (atMs === this.#atMs) return;
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    if (atMs === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#atMs = undefined;
        this.#reached();
      },
      Math.max(0, Math.ceil(atMs - performance.now())),
    ).unref();
  }
}

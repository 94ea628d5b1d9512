const idleMs = 50;

/**
 * Tells the coordinator which outcomes the consumer has taken: often enough that the producer never waits for it,
 * seldom enough that it costs nothing. One call is open at a time.
 */
export class Acknowledger {
  readonly #send: (position: number) => Promise<unknown>;
  readonly #batch: number;
  #taken = 0;
  #sent = 0;
  #sending = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `windowItems` is what the producer may be ahead; `send` rejects where the job is past saving. */
  constructor(windowItems: number, send: (position: number) => Promise<unknown>) {
    this.#batch = Math.max(1, windowItems >> 1);
    this.#send = send;
  }

  /** The consumer has taken the first `position` outcomes. */
  take(position: number): void {
    this.#taken = Math.max(this.#taken, position);
    if (this.#stopped || this.#sending || this.#taken === this.#sent) return;
    if (this.#taken - this.#sent >= this.#batch) void this.#flush();
    else this.#timer ??= setTimeout(() => void this.#flush(), idleMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending = true;
    const position = this.#taken;
    try {
      await this.#send(position);
      this.#sent = position;
    } catch {
      // The stream of results tells what is wrong; without it, more acknowledgements would not help.
      this.stop();
    }
    this.#sending = false;
    this.take(this.#taken);
  }
}

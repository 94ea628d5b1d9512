/** What a {@link RepeatedCheck} does. */
export interface RepeatedCheckParts {
  readonly everyMs: number;
  /** Looks, and takes over what is new. Rejects where that cannot be used. */
  readonly look: () => Promise<void>;
  /** Tells why it cannot be used: once, until the reason is another one or a look has gone well. */
  readonly complain: (reason: string) => void;
}

/** Looks at files again and again, one look at a time, until it is stopped. It does not keep the process. */
export class RepeatedCheck {
  readonly #parts: RepeatedCheckParts;
  readonly #timer: NodeJS.Timeout;
  #complained = '';
  #isLooking = false;

  constructor(parts: RepeatedCheckParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#look(), parts.everyMs);
    this.#timer.unref();
  }

  /** Why the last look has failed; undefined where it has gone well. */
  get trouble(): string | undefined {
    return this.#complained === '' ? undefined : this.#complained;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#parts.look();
      this.#complained = '';
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== this.#complained) this.#parts.complain(reason);
      this.#complained = reason;
    } finally {
      this.#isLooking = false;
    }
  }
}

const firstMs = 100;
const maxMs = 2_000;

/**
 * How long to wait before the next try: full jitter, so that the many clients of a coordinator that comes back do not
 * all ask in the same instant.
 */
export class Backoff {
  #tries = 0;

  /** A random time below a limit that doubles with every call: 100 ms at first, 2 s at most. */
  nextMs(): number {
    const limit = Math.min(maxMs, firstMs * 2 ** this.#tries);
    this.#tries += 1;
    return Math.random() * limit;
  }

  /** It went well: start small again. */
  reset(): void {
    this.#tries = 0;
  }
}

/** How a {@link PullWindow} is sized. */
export interface PullWindowOptions {
  /** Exactly this many items, never more nor fewer: the user's `bufferSize`. */
  readonly fixed?: number | undefined;
  /** Items to begin with. */
  readonly start: number;
  /** Items at most. */
  readonly max: number;
  readonly nowMs: () => number;
}

// A window that is emptied faster than this is too small to hide the way to the children and back.
const quickMs = 100;
const slowMs = 500;

/**
 * How many items may be taken from the input and not yet taken by the consumer.
 *
 * It grows while the consumer empties it quickly, so that a consumer that stops has cost the producer little, and one
 * that keeps up never waits for it.
 */
export class PullWindow {
  readonly #max: number;
  readonly #nowMs: () => number;
  #size: number;
  #nextLook: number;
  #lookedAtMs: number;

  constructor({ fixed, start, max, nowMs }: PullWindowOptions) {
    this.#max = fixed ?? max;
    this.#size = fixed ?? Math.min(start, max);
    this.#nowMs = nowMs;
    this.#nextLook = this.#size;
    this.#lookedAtMs = nowMs();
  }

  get size(): number {
    return this.#size;
  }

  /** The consumer has taken this many items in all. */
  took(total: number): void {
    if (total < this.#nextLook || this.#size === this.#max) return;
    const nowMs = this.#nowMs();
    const elapsedMs = nowMs - this.#lookedAtMs;
    if (elapsedMs < slowMs) this.#size = Math.min(this.#max, this.#size * (elapsedMs < quickMs ? 4 : 2));
    this.#nextLook = total + this.#size;
    this.#lookedAtMs = nowMs;
  }
}

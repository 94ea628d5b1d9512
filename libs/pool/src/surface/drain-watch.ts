/** A stream of results, as a disposal that drains sees it. */
export interface DrainedStream {
  /** The disposal begins: whoever has asked is a reader outside of the block. */
  drains(): void;
  /** Nobody has asked for anything since then, and without that it cannot go on. */
  readonly isLeft: boolean;
  /** Ends it. */
  abandon(): void;
}

// Twice as long a reader may take to ask again: after each look as long as until the next.
const lookMs = 5_000;

/**
 * Ends, while a disposal drains, the streams that nobody reads any more: their reader was in the block that was left, and
 * the disposal would wait for it for ever. Whoever asks in time is a reader elsewhere, and may take all the time it wants.
 */
export class DrainWatch implements Disposable {
  readonly #streams: ReadonlySet<DrainedStream>;
  #left: Set<DrainedStream> = new Set();
  readonly #timer: NodeJS.Timeout;

  /** `streams`: those that are not over, now and at each look. */
  constructor(streams: ReadonlySet<DrainedStream>) {
    this.#streams = streams;
    for (const stream of streams) stream.drains();
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const before = this.#left;
    this.#left = new Set([...this.#streams].filter((stream) => stream.isLeft));
    for (const stream of this.#left) if (before.has(stream)) stream.abandon();
  }
}

/** A stream of results, as a disposal that drains sees it. */
export interface DrainedStream {
  /** The disposal begins: whoever asks from now on is a reader outside of the block. */
  drains(): void;
  /** Nobody has asked for anything since then, and without that it cannot go on. */
  readonly isLeft: boolean;
  /** Ends it. */
  abandon(): void;
}

/** How long a stream may be left, where the pool's options do not say. */
export const defaultUnreadMs: number = 10_000;

/**
 * Ends, while a disposal drains, the streams that nobody reads any more: their reader was in the block that was left, and
 * the disposal would wait for it for ever. Whoever asks in time is a reader elsewhere, and may take all the time it wants.
 */
export class DrainWatch implements Disposable {
  readonly #streams: ReadonlySet<DrainedStream>;
  /** Those that know that they are watched. */
  #watched: ReadonlySet<DrainedStream> = new Set();
  #left: ReadonlySet<DrainedStream> = new Set();
  readonly #timer: NodeJS.Timeout;

  /** `streams`: those that are not over, now and at each look. `unreadMs`: how long one may be left. */
  constructor(streams: ReadonlySet<DrainedStream>, unreadMs: number) {
    this.#streams = streams;
    this.#watch();
    // One that is left at two looks in a row has been so for the time between them; a reader may come until the second.
    this.#timer = setInterval(() => this.#look(), Math.ceil(unreadMs / 2));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** A stream that was asked for before may begin later: its task was still looked at. */
  #watch(): void {
    for (const stream of this.#streams) if (!this.#watched.has(stream)) stream.drains();
    this.#watched = new Set(this.#streams);
  }

  #look(): void {
    this.#watch();
    const before = this.#left;
    this.#left = new Set([...this.#streams].filter((stream) => stream.isLeft));
    for (const stream of this.#left) if (before.has(stream)) stream.abandon();
  }
}

/** A stream of results, as a disposal that drains sees it. */
export interface DrainedStream {
  /** Nobody has asked for anything since the disposal began, and without that it cannot go on. */
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
  #left: ReadonlySet<DrainedStream> = new Set();
  readonly #timer: NodeJS.Timeout;

  /** `streams`: those that are not over, now and at each look. `unreadMs`: how long one may be left. */
  constructor(streams: ReadonlySet<DrainedStream>, unreadMs: number) {
    this.#streams = streams;
    // One that is left at two looks in a row has been so for the time between them; a reader may come until the second.
    this.#timer = setInterval(() => this.#look(), Math.ceil(unreadMs / 2));
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

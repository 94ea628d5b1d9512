const nobodyAsks = (): void => {};

/**
 * The promises of results that callers were given and that may reject yet.
 *
 * What a block has open when its pool is disposed of belongs to whoever has it: `return pool.map(…)` brings it to the
 * caller of a function, but only after all else of the block was disposed of. Nobody handles it until then, and Node would
 * end the program if it rejected before. So it counts as handled from then on; whoever asks hears of it all the same.
 */
export class GivenPromises {
  readonly #open: Set<Promise<unknown>> = new Set();

  /** One that settles as `promise` does. */
  give<T>(promise: Promise<T>): Promise<T> {
    const settle = async (): Promise<T> => {
      try {
        return await promise;
      } finally {
        this.#open.delete(given);
      }
    };
    const given = settle();
    this.#open.add(given);
    return given;
  }

  /** One that is rejected already. Nobody can have looked at it before the event loop has its turn, which is when Node judges. */
  giveRejected(error: unknown): Promise<never> {
    const given = Promise.reject(error);
    this.#open.add(given);
    setImmediate(() => this.#open.delete(given));
    return given;
  }

  /** The block that has them is left. */
  leave(): void {
    for (const promise of this.#open) promise.catch(nobodyAsks);
  }
}

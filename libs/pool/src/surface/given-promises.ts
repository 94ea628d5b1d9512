const nobodyAsks = (): void => {};

/** A promise, and how it is settled. */
interface OpenPromise<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The promises of results that callers were given and that may reject yet.
 *
 * What a block has open when its pool is disposed of belongs to whoever has it: `return pool.map(…)` brings it to the
 * caller of a function, but only after all else of the block was disposed of. Nobody handles it until then, and Node would
 * end the program if it rejected before. So it counts as handled from then on; whoever asks hears of it all the same.
 */
export class GivenPromises {
  readonly #open: Set<Promise<unknown>> = new Set();

  /** One that is settled by these functions. */
  open<T>(): OpenPromise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#open.add(promise);
    return {
      promise,
      resolve: (value) => {
        this.#open.delete(promise);
        resolve(value);
      },
      reject: (error) => {
        // Its holder may leave the block in this very turn, before he has looked: what was lost with a connection rejects all
        // at once. Node judges when the turn is over.
        setImmediate(() => this.#open.delete(promise));
        reject(error);
      },
    };
  }

  /** One that settles as `promise` does. */
  give<T>(promise: Promise<T>): Promise<T> {
    const { promise: given, resolve, reject } = this.open<T>();
    promise.then(resolve, reject);
    return given;
  }

  /** One that is rejected already. */
  giveRejected(error: unknown): Promise<never> {
    const { promise, reject } = this.open<never>();
    reject(error);
    return promise;
  }

  /** The block that has them is left. */
  leave(): void {
    for (const promise of this.#open) promise.catch(nobodyAsks);
  }
}

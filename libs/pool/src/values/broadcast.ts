/**
 * A handle to a large constant, as it stands inside items, arguments and results.
 *
 * Structured clone knows nothing of handles, but hands every typed array to whoever encodes. So a handle is one, an empty
 * one, and the codec writes the constant's hash in its place (block-codec.ts). No field of a value is looked at for it,
 * and nothing that a user can put into an item looks like one.
 *
 * Runs in the caller and in every child, so it needs nothing but Node's own modules.
 */
import type { BlobFile } from '../child-pool/chunk-request.ts';

/**
 * A large constant that every child is given once: what `pool.broadcast(value)` returns.
 *
 * Put the handle itself into items. A copy refers to nothing: `{ ...handle }` is an empty object, and `structuredClone` of
 * a handle throws.
 */
export interface Broadcast<T> extends Disposable {
  /**
   * The constant. In the caller it is the very value that was given. In a child it is a copy, read when it is first asked
   * for and the same object from then on: whoever changes it changes it for later items of that child.
   *
   * Throws BROADCAST_RELEASED in a child whose copy would have to be read after it was released.
   */
  readonly value: T;
  /**
   * Gives the memory and the disk that it takes back, once the jobs that use it have ended. From now on no item can
   * refer to it; `value` stays readable here. Its pool does the same at its end. Harmless if repeated.
   */
  release(): void;
}

/** What a handle stands for. */
export interface BroadcastSource {
  readonly file: BlobFile;
  /** Whether items may still refer to it. */
  isLive(): boolean;
  read(): unknown;
  release(): void;
}

/** The handle. Its class is not told to users: that it is a typed array is nobody's business. */
export class BroadcastHandle extends Uint8Array implements Broadcast<unknown> {
  readonly #source: BroadcastSource;

  constructor(source: BroadcastSource) {
    // An array whose buffer was taken away: structuredClone refuses it, in the place of an empty array that refers to nothing.
    const buffer = new ArrayBuffer(0);
    super(buffer);
    buffer.transfer();
    this.#source = source;
    Object.freeze(this);
  }

  get value(): unknown {
    return this.#source.read();
  }

  release(): void {
    this.#source.release();
  }

  [Symbol.dispose](): void {
    this.#source.release();
  }

  /** What its methods make is no handle. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  /** What a value stands for; undefined where it is no handle of this process. */
  static sourceOf(value: unknown): BroadcastSource | undefined {
    return typeof value === 'object' && value !== null && #source in value ? value.#source : undefined;
  }
}

// How it shows in console.log: nobody should see an array.
Object.defineProperty(BroadcastHandle.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: BroadcastHandle): string {
    return `Broadcast(${BroadcastHandle.sourceOf(this)?.file.sha256.slice(0, 12)})`;
  },
});

/** Finds the handle of a constant by its hash, for whoever decodes. */
export type BroadcastFinder = (sha256: string) => BroadcastHandle | undefined;

const missing = (sha256: string): BroadcastHandle =>
  new BroadcastHandle({
    file: { sha256, path: '' },
    isLive: () => false,
    read: () => {
      throw releasedError(sha256);
    },
    release: () => {},
  });

// A child that has a pool of its own has both: what it was given, and what it broadcasts.
const finders: BroadcastFinder[] = [];

/** Says where else constants are found in this process. */
export function findBroadcastsBy(finder: BroadcastFinder): void {
  finders.push(finder);
}

/** The handle of a constant; one whose value cannot be read where nobody here has it. */
export function foundBroadcast(sha256: string): BroadcastHandle {
  // By index: in a child, a task may have replaced what iterates.
  for (let at = 0; at < finders.length; at++) {
    const handle = finders[at]?.(sha256);
    if (handle !== undefined) return handle;
  }
  return missing(sha256);
}

/** BROADCAST_RELEASED of the catalogue, in words: a child carries no catalogue. */
export function releasedError(sha256: string): Error {
  const message = `The broadcast value ${sha256.slice(0, 12)} was released before it was read here.`;
  return Object.assign(new Error(message), { code: 'BROADCAST_RELEASED' });
}

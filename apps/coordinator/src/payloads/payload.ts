import { ItemFailure } from '@shoal/protocol';
import type { ItemBlock, JobId, ResultBytes } from '@shoal/scheduler';

/** Where bytes lie that are not in memory. */
export interface SpilledBytes {
  /** Reads a part back. Throws a {@link StorageError}. */
  read(from: number, to: number): Uint8Array;
  /** They are needed no more. */
  free(): void;
}

/** Bytes of a job could not be kept, or not be read back. */
export class StorageError extends Error {
  readonly job: JobId;

  constructor(job: JobId, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'StorageError';
    this.job = job;
  }
}

/**
 * The bytes of one block or run: in memory, or on the disk while memory is short. Nobody here looks into them.
 *
 * What is read back from the disk is not kept in memory again: it is on its way to a stream.
 */
export class Payload {
  readonly byteLength: number;
  #bytes: Uint8Array | undefined;
  #spilled: SpilledBytes | undefined;
  /** Whoever needs it still. */
  #holders = 0;
  readonly #onFree: (payload: Payload, wasInMemory: boolean) => void;

  /** `onFree` is called when nobody needs it any more, and says whether it was in memory until then. */
  constructor(bytes: Uint8Array, onFree: (payload: Payload, wasInMemory: boolean) => void = () => {}) {
    this.byteLength = bytes.byteLength;
    this.#bytes = bytes;
    this.#onFree = onFree;
  }

  get isInMemory(): boolean {
    return this.#bytes !== undefined;
  }

  /** All of it. Throws a {@link StorageError} where it cannot be read back. */
  get bytes(): Uint8Array {
    return this.part(0, this.byteLength);
  }

  /** The bytes from `from` up to, not including, `to`. Throws a {@link StorageError} where they cannot be read back. */
  part(from: number, to: number): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes.subarray(from, to);
    if (this.#spilled === undefined) throw new Error('bytes are read that were given up');
    return this.#spilled.read(from, to);
  }

  /** Moves it out of memory. */
  spill(write: (bytes: Uint8Array) => SpilledBytes): void {
    if (this.#bytes === undefined) return;
    this.#spilled = write(this.#bytes);
    this.#bytes = undefined;
  }

  retain(): void {
    this.#holders += 1;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    const wasInMemory = this.isInMemory;
    this.#bytes = undefined;
    this.#spilled?.free();
    this.#spilled = undefined;
    this.#onFree(this, wasInMemory);
  }
}

/** A block of items as the coordinator holds it. */
export class StoredBlock implements ItemBlock {
  readonly first: number;
  readonly count: number;
  readonly payload: Payload;
  /** SHA-256 of the constants that its items refer to. */
  readonly broadcasts: readonly string[];
  /** When it came, on this process's monotonic clock. */
  readonly keptAtMs: number = performance.now();

  constructor(first: number, count: number, payload: Payload, broadcasts: readonly string[] = []) {
    this.first = first;
    this.count = count;
    this.payload = payload;
    this.broadcasts = broadcasts;
  }

  get bytes(): Uint8Array {
    return this.payload.bytes;
  }
}

/** The failure of an item as the coordinator holds it: encoded, as it travels. */
export class StoredFailure {
  readonly payload: Payload;

  constructor(payload: Payload) {
    this.payload = payload;
  }

  /** All that is told of it. Throws a {@link StorageError} where it cannot be read back. */
  get told(): ItemFailure {
    return ItemFailure.decode(this.payload.bytes);
  }
}

/** What is told of a run besides its values. */
export interface RunFacts {
  readonly runMs: number;
  readonly pid: number;
  readonly agent: string;
}

/** Values of consecutive items as the coordinator holds them. */
export class StoredRun implements ResultBytes, RunFacts {
  readonly first: number;
  readonly count: number;
  readonly payload: Payload;
  readonly runMs: number;
  readonly pid: number;
  readonly agent: string;

  constructor(first: number, count: number, payload: Payload, { agent, pid, runMs }: RunFacts) {
    this.first = first;
    this.count = count;
    this.payload = payload;
    this.runMs = runMs;
    this.pid = pid;
    this.agent = agent;
  }

  get bytes(): Uint8Array {
    return this.payload.bytes;
  }
}

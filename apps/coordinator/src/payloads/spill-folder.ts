import { accessSync, closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bytesText, ShoalError } from '@shoal/errors';
import { makeFolder, OwnFolder } from '@shoal/folders';
import type { JobId } from '@shoal/scheduler';
import { type SpilledBytes, StorageError } from './payload.ts';

/** Where bytes go that have no place in memory. */
export interface SpillShelf {
  /** Bytes that it takes on the disk. */
  readonly bytes: number;
  /** Bytes that it may take. */
  readonly maxBytes: number;
  /** Writes bytes of a job down. Throws a {@link StorageError} where there is no room, or the disk fails. */
  write(job: JobId, bytes: Uint8Array): SpilledBytes;
  /** Deletes everything. */
  close(): void;
}

/** Bytes of one job that share a file. It goes when the last of them does. */
interface Segment {
  readonly path: string;
  size: number;
  /** Bytes that are still needed. */
  live: number;
}

/** A job's items and results are needed about in the order in which they came: so files of this size come and go. */
const segmentBytes = 16 * 2 ** 20;

/**
 * Bytes in files of a private folder, which is made when it is needed first and deleted at the end.
 *
 * It writes and reads while everybody waits, as memory does: a block is 256 KiB and goes to the page cache in about
 * 100 µs. No file is held open, so that no number of jobs runs out of descriptors.
 */
export class SpillFolder implements SpillShelf {
  readonly maxBytes: number;
  readonly #parent: string;
  readonly #current: Map<JobId, Segment> = new Map();
  #folder: OwnFolder | undefined;
  #segments = 0;
  #bytes = 0;

  /** Throws REQUEST_INVALID where nothing can be written into `parent`. What a dead coordinator left there is deleted. */
  constructor(parent: string, maxBytes: number) {
    this.#parent = parent;
    this.maxBytes = maxBytes;
    try {
      makeFolder(parent);
      accessSync(parent, constants.W_OK | constants.X_OK);
    } catch (cause) {
      const reason = `nothing can be written into ${parent} (${codeOf(cause)})`;
      throw new ShoalError('REQUEST_INVALID', { field: '--spill-dir', reason }, { cause });
    }
    OwnFolder.removeDead(parent);
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(job: JobId, bytes: Uint8Array): SpilledBytes {
    const { byteLength } = bytes;
    if (this.#bytes + byteLength > this.maxBytes) {
      throw new StorageError(
        job,
        `the coordinator's memory is full, and so are the ${bytesText(this.maxBytes)} of its disk (--max-spill-bytes)`,
      );
    }
    const segment = this.#append(job, bytes);
    const from = segment.size;
    segment.size += byteLength;
    segment.live += byteLength;
    this.#bytes += byteLength;
    return {
      read: (start, end) => {
        try {
          return readBack(segment.path, from + start, end - start);
        } catch (cause) {
          const reason = `the coordinator could not read back what it had on its disk (${codeOf(cause)})`;
          throw new StorageError(job, reason, { cause });
        }
      },
      free: () => this.#free(job, segment, byteLength),
    };
  }

  close(): void {
    this.#folder?.removeSync();
    this.#folder = undefined;
    this.#current.clear();
    this.#bytes = 0;
  }

  /** Writes behind what its job has; where somebody has deleted the folder, into a new one. */
  #append(job: JobId, bytes: Uint8Array): Segment {
    const segment = this.#segmentFor(job);
    try {
      append(segment.path, bytes);
      return segment;
    } catch (cause) {
      // What was written of it is cut off by its place: the next one begins behind it.
      this.#retire(job, segment);
      if (this.#isFolderGone()) {
        this.#folder?.removeSync();
        this.#folder = undefined;
        this.#current.clear();
        return this.#append(job, bytes);
      }
      throw new StorageError(job, `the coordinator's disk took no more (${codeOf(cause)})`, { cause });
    }
  }

  /** Cleaners of folders for temporary files do that. Jobs whose bytes lay there end; others need not. */
  #isFolderGone(): boolean {
    return this.#folder?.isThere === false;
  }

  #segmentFor(job: JobId): Segment {
    const current = this.#current.get(job);
    if (current !== undefined && current.size < segmentBytes) return current;
    try {
      this.#folder ??= this.#newFolder();
    } catch (cause) {
      throw new StorageError(job, `the coordinator's disk took no more (${codeOf(cause)})`, { cause });
    }
    this.#segments += 1;
    const segment = { path: join(this.#folder.path, `${this.#segments}`), size: 0, live: 0 };
    this.#current.set(job, segment);
    return segment;
  }

  #newFolder(): OwnFolder {
    makeFolder(this.#parent);
    return OwnFolder.make(this.#parent, 'spill');
  }

  #free(job: JobId, segment: Segment, byteLength: number): void {
    segment.live -= byteLength;
    if (segment.live === 0) this.#retire(job, segment);
  }

  /** Nothing is added to it any more; it goes if nothing in it is needed. */
  #retire(job: JobId, segment: Segment): void {
    if (this.#current.get(job) === segment) this.#current.delete(job);
    if (segment.live > 0) return;
    this.#bytes = Math.max(0, this.#bytes - segment.size);
    segment.size = 0;
    try {
      unlinkSync(segment.path);
    } catch {
      // It was never made, or the whole folder is gone.
    }
  }
}

function append(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'a', 0o600);
  try {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
  } finally {
    closeSync(file);
  }
}

function readBack(path: string, position: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  const file = openSync(path, 'r');
  try {
    for (let at = 0; at < length; ) {
      const read = readSync(file, bytes, at, length - at, position + at);
      if (read === 0) throw new Error('the file is too short');
      at += read;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

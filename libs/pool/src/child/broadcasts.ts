/**
 * The constants that this child was told of: read from their files when a task first asks, then kept.
 *
 * Those that were used last stay decoded, as far as the limit allows; the others only as long as somebody else holds
 * them, and are read again when they are asked for.
 */
import { readFileSync } from 'node:fs';
import type { BlobFile } from '../child-pool/chunk-request.ts';
import { decodeValue } from '../values/block-codec.ts';
import { BroadcastHandle, releasedError } from '../values/broadcast.ts';

/** Bytes, as encoded, of the constants that are kept; the one used last stays, however big it is. */
const keptBytesMax = 256 * 1024 * 1024;

export class Broadcasts {
  readonly #bytesMax: number;
  readonly #handles = new Map<string, BroadcastHandle>();
  /** Decoded, the one used last at the end. */
  readonly #kept = new Map<string, { readonly value: unknown; readonly bytes: number }>();
  readonly #dropped = new Map<string, WeakRef<object>>();
  #keptBytes = 0;

  constructor(bytesMax: number = keptBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** Items that come next refer to these. */
  learn(files: readonly BlobFile[]): void {
    for (const file of files) {
      if (this.#handles.has(file.sha256)) continue;
      const { sha256 } = file;
      const source = { file, isLive: () => true, read: () => this.#read(file), release: () => {} };
      this.#handles.set(sha256, new BroadcastHandle(source));
    }
  }

  find(sha256: string): BroadcastHandle | undefined {
    return this.#handles.get(sha256);
  }

  /** Nobody can refer to these any more. */
  forget(hashes: readonly string[]): void {
    for (const sha256 of hashes) {
      this.#handles.delete(sha256);
      this.#dropped.delete(sha256);
      this.#keptBytes -= this.#kept.get(sha256)?.bytes ?? 0;
      this.#kept.delete(sha256);
    }
  }

  #read({ sha256, path }: BlobFile): unknown {
    const known = this.#kept.get(sha256);
    if (known !== undefined) {
      if (this.#kept.size > 1) this.#keep(sha256, known.value, known.bytes);
      return known.value;
    }
    const held = this.#dropped.get(sha256)?.deref();
    if (held !== undefined) return held;
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw releasedError(sha256);
      throw error;
    }
    const value = decodeValue(bytes);
    this.#keep(sha256, value, bytes.byteLength);
    return value;
  }

  #keep(sha256: string, value: unknown, bytes: number): void {
    if (!this.#kept.delete(sha256)) this.#keptBytes += bytes;
    this.#kept.set(sha256, { value, bytes });
    for (const [oldest, entry] of this.#kept) {
      if (this.#keptBytes <= this.#bytesMax || this.#kept.size === 1) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= entry.bytes;
      if (typeof entry.value === 'object' && entry.value !== null) {
        this.#dropped.set(oldest, new WeakRef(entry.value));
      }
    }
  }
}

/**
 * The constants that pools of this process broadcast: each encoded once, in a file that children (and uploads to a
 * cluster) read. One folder for the process, private to its user; it goes with the last constant.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShoalError } from '@shoal/errors';
import { OwnFolder } from '@shoal/folders';
import type { BlobFile } from '../child-pool/chunk-request.ts';
import { crypto } from '../crypto.ts';
import { type BroadcastHandle, findBroadcastsBy } from './broadcast.ts';

interface Blob {
  readonly file: BlobFile;
  /** Handles that are not released, and jobs whose items refer to it. */
  holders: number;
  /** What a result that brings a reference back is decoded to. */
  handle: BroadcastHandle | undefined;
}

/** One use of a constant. To let go of it twice does nothing. */
export interface BlobHold {
  letGo(): void;
}

/** Keeps every constant as long as somebody holds it. */
export class BroadcastStore {
  readonly #parentDir: string;
  readonly #blobs = new Map<string, Blob>();
  readonly #watchers = new Set<(sha256: string) => void>();
  #folder: OwnFolder | undefined;

  constructor(parentDir: string) {
    this.#parentDir = parentDir;
  }

  /** Takes the bytes of a constant in. Throws FILE_NOT_USABLE where they cannot be written. */
  put(bytes: Uint8Array): { readonly file: BlobFile; readonly hold: BlobHold } {
    const sha256 = crypto().createHash('sha256').update(bytes).digest('hex');
    const known = this.#blobs.get(sha256);
    if (known !== undefined) return { file: known.file, hold: this.#holdBlob(known) };
    const file = { sha256, path: this.#write(sha256, bytes) };
    const blob: Blob = { file, holders: 0, handle: undefined };
    this.#blobs.set(sha256, blob);
    return { file, hold: this.#holdBlob(blob) };
  }

  /** Keeps a constant that somebody else holds now. One of another process, or unknown, needs no holding. */
  hold({ sha256 }: BlobFile): BlobHold {
    const blob = this.#blobs.get(sha256);
    return blob === undefined ? { letGo: () => {} } : this.#holdBlob(blob);
  }

  /** Says which handle stands where a result refers to the constant. */
  answerWith(handle: BroadcastHandle, { sha256 }: BlobFile): void {
    const blob = this.#blobs.get(sha256);
    if (blob !== undefined) blob.handle = handle;
  }

  find(sha256: string): BroadcastHandle | undefined {
    return this.#blobs.get(sha256)?.handle;
  }

  /** Calls back with each constant that nobody holds any more. Returns how to stop that. */
  watch(onGone: (sha256: string) => void): () => void {
    this.#watchers.add(onGone);
    return () => void this.#watchers.delete(onGone);
  }

  #holdBlob(blob: Blob): BlobHold {
    blob.holders += 1;
    let held = true;
    return {
      letGo: () => {
        if (!held) return;
        held = false;
        blob.holders -= 1;
        if (blob.holders === 0) this.#remove(blob);
      },
    };
  }

  #write(sha256: string, bytes: Uint8Array): string {
    try {
      const path = join(this.#makeFolder().path, sha256);
      writeFileSync(path, bytes, { mode: 0o600 });
      return path;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ShoalError('FILE_NOT_USABLE', { path: this.#parentDir, reason }, { cause: error });
    }
  }

  #remove({ file }: Blob): void {
    this.#blobs.delete(file.sha256);
    rmSync(file.path, { force: true });
    if (this.#blobs.size === 0) this.#removeFolder();
    for (const watcher of this.#watchers) watcher(file.sha256);
  }

  #makeFolder(): OwnFolder {
    if (this.#folder !== undefined) return this.#folder;
    OwnFolder.removeDead(this.#parentDir);
    this.#folder = OwnFolder.make(this.#parentDir, 'pool');
    return this.#folder;
  }

  #removeFolder(): void {
    this.#folder?.removeSync();
    this.#folder = undefined;
  }
}

/** The one of this process: equal constants of several pools are one file. */
export const broadcastStore: BroadcastStore = new BroadcastStore(tmpdir());
findBroadcastsBy((sha256) => broadcastStore.find(sha256));

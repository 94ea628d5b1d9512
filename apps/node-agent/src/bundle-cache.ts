import { createHash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShoalError } from '@shoal/errors';
import { makeFolder, OwnFolder } from '@shoal/folders';

/** What a {@link BundleCache} is made of. */
export interface BundleCacheOptions {
  /** Bytes on disk, at most; what running jobs need may go over it. */
  readonly maxBytes: number;
  /** Brings a bundle from the coordinator. */
  readonly fetch: (sha256: string) => Promise<Uint8Array>;
  /** The folder in which the cache makes its own. Default: the system's for temporary files. */
  readonly parentDir?: string | undefined;
  /**
   * Whether children are other users than this process: then they can read a bundle whose name they know, which is
   * the hash of its content, and cannot list them. Default: nobody else can read any.
   */
  readonly isShared?: boolean;
  /** A bundle could not be stored (`BUNDLE_NOT_STORED`); without an error: one could. */
  readonly onStored?: (error?: ShoalError) => void;
  /** Writes a file that only this user can read. Default: the disk; tests have one that fails. */
  readonly write?: (path: string, content: Uint8Array) => Promise<void>;
}

interface Cached {
  readonly path: string;
  readonly bytes: number;
}

/**
 * The users' code on disk, one file a bundle, in a folder that only this user can read.
 *
 * A bundle is fetched once however many jobs ask for it at once, hashed before it is believed, kept while a job needs
 * it and then until room is needed. The folder goes with the process.
 */
export class BundleCache {
  readonly #folder: OwnFolder;
  readonly #options: BundleCacheOptions;
  /** In order of use, the least recent first. */
  readonly #cached = new Map<string, Cached>();
  readonly #arriving = new Map<string, Promise<Cached>>();
  /** How many holders need a bundle now. */
  readonly #holders = new Map<string, number>();
  #heldBytes = 0;

  private constructor(folder: OwnFolder, options: BundleCacheOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /**
   * Makes the folder (mode 0700), with those above it that are missing, and removes what agents left that were killed.
   * Rejects with `FILE_NOT_USABLE` where no folder can be made.
   */
  static async open(options: BundleCacheOptions): Promise<BundleCache> {
    const parentDir = options.parentDir ?? tmpdir();
    OwnFolder.removeDead(parentDir);
    try {
      makeFolder(parentDir);
      const folder = OwnFolder.make(parentDir, 'bundles');
      if (options.isShared) folder.share();
      return new BundleCache(folder, options);
    } catch (error) {
      throw new ShoalError('FILE_NOT_USABLE', { path: parentDir, reason: reasonOf(error) }, { cause: error });
    }
  }

  /**
   * The file that holds a bundle, kept until `release`. Rejects with `BUNDLE_CORRUPT` where other content came,
   * `BUNDLE_NOT_STORED` where the disk does not take it, or whatever `fetch` failed with; then nothing is held.
   */
  async hold(sha256: string): Promise<string> {
    this.#holders.set(sha256, (this.#holders.get(sha256) ?? 0) + 1);
    try {
      const known = this.#cached.get(sha256) ?? (await this.#arrival(sha256));
      // Used last: it goes last.
      this.#cached.delete(sha256);
      this.#cached.set(sha256, known);
      return known.path;
    } catch (error) {
      this.release(sha256);
      throw error;
    }
  }

  /** The folder with all of them. */
  get dir(): string {
    return this.#folder.path;
  }

  /** Where a bundle lies, once it is here. */
  fileOf(sha256: string): { readonly sha256: string; readonly path: string } {
    return { sha256, path: this.#pathOf(sha256) };
  }

  /** One holder needs the bundle no more. */
  release(sha256: string): void {
    const left = (this.#holders.get(sha256) ?? 0) - 1;
    if (left > 0) this.#holders.set(sha256, left);
    else this.#holders.delete(sha256);
    this.#makeRoom();
  }

  /** Removes the folder with all that is in it. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#arriving.values());
    await this.#folder.remove();
  }

  /** What is no hash is no name of a file either, and nothing lies there. */
  #pathOf(sha256: string): string {
    return join(this.#folder.path, `${isHash(sha256) ? sha256 : 'none'}.mjs`);
  }

  #arrival(sha256: string): Promise<Cached> {
    const under = this.#arriving.get(sha256);
    if (under !== undefined) return under;
    const arrival = this.#bring(sha256).finally(() => this.#arriving.delete(sha256));
    this.#arriving.set(sha256, arrival);
    return arrival;
  }

  async #bring(sha256: string): Promise<Cached> {
    const content = await this.#options.fetch(sha256);
    const actual = createHash('sha256').update(content).digest('hex');
    if (actual !== sha256) throw new ShoalError('BUNDLE_CORRUPT', { announced: sha256, actual });
    const path = this.#pathOf(sha256);
    await this.#store(sha256, path, content);
    const cached = { path, bytes: content.byteLength };
    this.#cached.set(sha256, cached);
    this.#heldBytes += cached.bytes;
    this.#makeRoom();
    return cached;
  }

  /** What nobody needs goes before a disk that is full is complained of. */
  async #store(sha256: string, path: string, content: Uint8Array): Promise<void> {
    const { onStored } = this.#options;
    try {
      await this.#write(path, content).catch(async () => {
        this.#makeRoom(0);
        await this.#write(path, content);
      });
    } catch (error) {
      const facts = { bundle: sha256.slice(0, 12), folder: this.#folder.path, reason: reasonOf(error) };
      const refusal = new ShoalError('BUNDLE_NOT_STORED', facts, { cause: error });
      onStored?.(refusal);
      throw refusal;
    }
    onStored?.();
  }

  /** Renamed when it is whole: no child ever loads half a file. The name is a hash, so no sender chooses a path. */
  async #write(path: string, content: Uint8Array): Promise<void> {
    const { write = writePrivately } = this.#options;
    const scratch = join(this.#folder.path, `.${randomUUID()}`);
    try {
      await write(scratch, content);
      if (this.#options.isShared) await chmod(scratch, 0o444);
      await rename(scratch, path);
    } catch (error) {
      // Half a file would take the room that is missing.
      rmSync(scratch, { force: true });
      throw error;
    }
  }

  #makeRoom(maxBytes: number = this.#options.maxBytes): void {
    for (const [sha256, { path, bytes }] of this.#cached) {
      if (this.#heldBytes <= maxBytes) return;
      if (this.#holders.has(sha256)) continue;
      this.#cached.delete(sha256);
      this.#heldBytes -= bytes;
      rmSync(path, { force: true });
    }
  }
}

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

const writePrivately = (path: string, content: Uint8Array): Promise<void> =>
  writeFile(path, content, { mode: 0o600 });

/** Why a disk refused, without the path, which is named beside it: `ENOSPC: no space left on device`. */
const reasonOf = (error: unknown): string => (error as Error).message.replace(/, \w+( '.*')?$/, '');

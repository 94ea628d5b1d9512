import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '@shoal/errors';
import { makeFolder } from '@shoal/folders';

/** A name as a shelf keeps it. */
interface ShelvedName {
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
}

/** Where the bytes of bundles lie. It stores and finds; what may lie there is decided by the store. */
export interface BundleShelf {
  /** What lies there already. */
  load(): Promise<{
    readonly bundles: readonly { readonly sha256: string; readonly bytes: number }[];
    readonly names: readonly ShelvedName[];
  }>;
  put(sha256: string, content: Uint8Array): Promise<void>;
  get(sha256: string): Promise<Uint8Array | undefined>;
  remove(sha256: string): Promise<void>;
  putNames(names: readonly ShelvedName[]): Promise<void>;
}

/** Forgets everything with the process. */
export class MemoryShelf implements BundleShelf {
  readonly #bundles = new Map<string, Uint8Array>();

  async load(): ReturnType<BundleShelf['load']> {
    return { bundles: [], names: [] };
  }

  async put(sha256: string, content: Uint8Array): Promise<void> {
    this.#bundles.set(sha256, content);
  }

  async get(sha256: string): Promise<Uint8Array | undefined> {
    return this.#bundles.get(sha256);
  }

  async remove(sha256: string): Promise<void> {
    this.#bundles.delete(sha256);
  }

  async putNames(): Promise<void> {}
}

/** A folder: one file a bundle, named by its hash, and `names.json`. Files appear whole or not at all. */
export class FolderShelf implements BundleShelf {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async load(): ReturnType<BundleShelf['load']> {
    try {
      makeFolder(this.#dir);
      const hashes = (await readdir(this.#dir)).filter((file) => /^[0-9a-f]{64}$/.test(file));
      const bundles = await Promise.all(
        hashes.map(async (sha256) => ({ sha256, bytes: (await stat(join(this.#dir, sha256))).size })),
      );
      return { bundles, names: await this.#loadNames() };
    } catch (error) {
      throw new ShoalError(
        'FILE_NOT_USABLE',
        { path: this.#dir, reason: error instanceof Error ? error.message : String(error) },
        { cause: error },
      );
    }
  }

  async put(sha256: string, content: Uint8Array): Promise<void> {
    await this.#write(sha256, content);
  }

  async get(sha256: string): Promise<Uint8Array | undefined> {
    return readFile(join(this.#dir, sha256)).catch(() => undefined);
  }

  async remove(sha256: string): Promise<void> {
    await rm(join(this.#dir, sha256), { force: true });
  }

  async putNames(names: readonly ShelvedName[]): Promise<void> {
    const kept = names.map(({ name, version, sha256 }) => ({ name, version, sha256 }));
    await this.#write('names.json', `${JSON.stringify(kept, undefined, 2)}\n`);
  }

  async #loadNames(): Promise<readonly ShelvedName[]> {
    const text = await readFile(join(this.#dir, 'names.json'), 'utf8').catch(() => '[]');
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed) || !parsed.every(isShelvedName)) {
      throw new Error('names.json is not a list of names, versions and hashes');
    }
    return parsed;
  }

  async #write(file: string, content: Uint8Array | string): Promise<void> {
    const scratch = join(this.#dir, `.${file}.${process.pid}.${randomUUID()}`);
    await writeFile(scratch, content, { mode: 0o600 });
    await rename(scratch, join(this.#dir, file));
  }
}

function isShelvedName(value: unknown): value is ShelvedName {
  if (typeof value !== 'object' || value === null) return false;
  const { name, version, sha256 } = value as Record<string, unknown>;
  return typeof name === 'string' && typeof version === 'number' && typeof sha256 === 'string';
}

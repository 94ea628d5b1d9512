import { createHash } from 'node:crypto';
import { ShoalError } from '@shoal/errors';
import { type BundleShelf, MemoryShelf } from './bundle-shelf.ts';

/** A name that a bundle was given, for clients that cannot bundle themselves: `imaging@3`. */
export interface BundleName {
  readonly name: string;
  /** From 1. */
  readonly version: number;
  readonly sha256: string;
  readonly bytes: number;
}

/** A bundle as a list shows it. */
export interface BundleListing {
  readonly sha256: string;
  readonly size: number;
  /** As one writes them: `imaging@3`. */
  names: string[];
}

/** What a {@link BundleStore} is made of. */
export interface BundleStoreOptions {
  /** Bytes of one bundle, at most. */
  readonly maxBundleBytes: number;
  /** Bytes of all bundles together, at most. */
  readonly maxStoreBytes: number;
  /** Where the bytes lie. Default: memory. */
  readonly shelf?: BundleShelf;
}

interface Entry {
  readonly bytes: number;
  /** Jobs that need it now. */
  pins: number;
  named: boolean;
}

/**
 * The users' code by its SHA-256, and the names that were given to it.
 *
 * Content decides the address, so what arrives is hashed again: a sender cannot put one function under the hash of
 * another. A name's version is set once and never changes; what is neither named nor used by a job makes room when
 * the store is full, the least recently used first.
 */
export class BundleStore {
  readonly #options: BundleStoreOptions;
  readonly #shelf: BundleShelf;
  /** In order of use, the least recent first. */
  readonly #entries = new Map<string, Entry>();
  /** By name, then by version. */
  readonly #names = new Map<string, Map<number, string>>();
  #heldBytes = 0;

  private constructor(options: BundleStoreOptions, shelf: BundleShelf) {
    this.#options = options;
    this.#shelf = shelf;
  }

  /** Opens a store with what lies on its shelf already. */
  static async open(options: BundleStoreOptions): Promise<BundleStore> {
    const store = new BundleStore(options, options.shelf ?? new MemoryShelf());
    const { bundles, names } = await store.#shelf.load();
    for (const { sha256, bytes } of bundles) store.#enter(sha256, bytes);
    for (const { name, version, sha256 } of names) {
      if (store.#entries.has(sha256)) store.#remember(name, version, sha256);
    }
    return store;
  }

  has(sha256: string): boolean {
    return this.#entries.has(sha256);
  }

  /** Refuses a bundle by its announced size, before its bytes are taken: `LIMIT_REACHED`. */
  checkSize(bytes: number): void {
    if (bytes > this.#options.maxBundleBytes) {
      throw new ShoalError('LIMIT_REACHED', {
        limitName: 'bundleBytes',
        what: 'Size of a bundle',
        value: bytes,
        limit: this.#options.maxBundleBytes,
        option: 'shoal coordinator --max-bundle-bytes',
      });
    }
  }

  /** Takes a bundle in. Throws `BUNDLE_CORRUPT` where the bytes are not those announced, `LIMIT_REACHED` when full. */
  async put(sha256: string, content: Uint8Array): Promise<void> {
    this.checkSize(content.byteLength);
    const actual = createHash('sha256').update(content).digest('hex');
    if (actual !== sha256) throw new ShoalError('BUNDLE_CORRUPT', { announced: sha256, actual });
    if (this.#touch(sha256)) return;
    await this.#makeRoom(content.byteLength);
    await this.#shelf.put(sha256, content);
    this.#enter(sha256, content.byteLength);
  }

  /** The bytes of a bundle. Throws `BUNDLE_NOT_FOUND`. */
  async get(sha256: string): Promise<Uint8Array> {
    const content = this.#touch(sha256) ? await this.#shelf.get(sha256) : undefined;
    if (content === undefined) throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: sha256 });
    return content;
  }

  /** A job needs this bundle until `unpin`. Throws `BUNDLE_NOT_FOUND`. */
  pin(sha256: string): void {
    const entry = this.#entries.get(sha256);
    if (entry === undefined) throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: sha256 });
    entry.pins += 1;
    this.#touch(sha256);
  }

  unpin(sha256: string): void {
    const entry = this.#entries.get(sha256);
    if (entry !== undefined) entry.pins -= 1;
  }

  /** Names a bundle for good. Throws `BUNDLE_EXISTS` where that version has other content. */
  async name(name: string, version: number, sha256: string): Promise<void> {
    if (!/^[A-Za-z][\w.-]{0,99}$/.test(name)) {
      throw new ShoalError('REQUEST_INVALID', {
        field: 'name',
        reason: `"${name}" must be at most 100 letters, digits, ".", "-" or "_", a letter first`,
      });
    }
    if (!Number.isSafeInteger(version) || version < 1) {
      throw new ShoalError('REQUEST_INVALID', {
        field: 'version',
        reason: 'must be a whole number from 1 on',
      });
    }
    if (!this.has(sha256)) throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: sha256 });
    const known = this.#names.get(name)?.get(version);
    if (known === sha256) return;
    if (known !== undefined) throw new ShoalError('BUNDLE_EXISTS', { bundle: `${name}@${version}` });
    this.#remember(name, version, sha256);
    await this.#shelf.putNames(this.#allNames());
  }

  /** Finds `imaging` (its highest version) or `imaging@3`. Throws `BUNDLE_NOT_FOUND`. */
  resolve(reference: string): BundleName {
    const [name = '', wanted] = reference.split('@', 2);
    const versions = this.#names.get(name);
    const version = wanted === undefined ? Math.max(...(versions?.keys() ?? [])) : Number(wanted);
    const sha256 = versions?.get(version);
    const entry = sha256 === undefined ? undefined : this.#entries.get(sha256);
    if (sha256 === undefined || entry === undefined) {
      throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: reference });
    }
    return { name, version, sha256, bytes: entry.bytes };
  }

  /** Every bundle with its names: by name and version, those without a name last. */
  list(): BundleListing[] {
    const namesOf = new Map<string, string[]>();
    for (const { name, version, sha256 } of this.#allNames()) {
      namesOf.set(sha256, [...(namesOf.get(sha256) ?? []), `${name}@${version}`]);
    }
    const listing = (sha256: string): BundleListing => ({
      sha256,
      size: this.#entries.get(sha256)?.bytes ?? 0,
      names: namesOf.get(sha256) ?? [],
    });
    const unnamed = [...this.#entries.keys()].filter((sha256) => !namesOf.has(sha256)).sort();
    return [...namesOf.keys(), ...unnamed].map(listing);
  }

  #allNames(): { name: string; version: number; sha256: string }[] {
    const all = [...this.#names].flatMap(([name, versions]) =>
      [...versions].map(([version, sha256]) => ({ name, version, sha256 })),
    );
    return all.sort((a, b) => a.name.localeCompare(b.name) || a.version - b.version);
  }

  #enter(sha256: string, bytes: number): void {
    // Two senders may have brought the same bundle at the same time.
    if (this.#entries.has(sha256)) return;
    this.#entries.set(sha256, { bytes, pins: 0, named: false });
    this.#heldBytes += bytes;
  }

  #touch(sha256: string): boolean {
    const entry = this.#entries.get(sha256);
    if (entry === undefined) return false;
    this.#entries.delete(sha256);
    this.#entries.set(sha256, entry);
    return true;
  }

  #remember(name: string, version: number, sha256: string): void {
    const versions = this.#names.get(name) ?? new Map<number, string>();
    this.#names.set(name, versions.set(version, sha256));
    const entry = this.#entries.get(sha256);
    if (entry !== undefined) entry.named = true;
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { maxStoreBytes } = this.#options;
    for (const [sha256, entry] of this.#entries) {
      if (this.#heldBytes + bytes <= maxStoreBytes) return;
      if (entry.pins > 0 || entry.named) continue;
      this.#entries.delete(sha256);
      this.#heldBytes -= entry.bytes;
      await this.#shelf.remove(sha256);
    }
    if (this.#heldBytes + bytes > maxStoreBytes) {
      throw new ShoalError('LIMIT_REACHED', {
        limitName: 'bundleStoreBytes',
        what: 'Bytes of bundles',
        value: this.#heldBytes + bytes,
        limit: maxStoreBytes,
        option: 'shoal coordinator --max-bundle-store-bytes',
      });
    }
  }
}

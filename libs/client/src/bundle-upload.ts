import { readFile } from 'node:fs/promises';
import type { BlobFile } from '@shoal/pool';
import { type HasBundlesResponse, limits, type PutBundleRequest } from '@shoal/protocol';
import type { Bundle } from './bundle/bundle.ts';
import type { Connection } from './connection.ts';

const partBytes = limits.partBytes.default;

/** Sends bundles and constants to a coordinator, each at most once in a connection and only if it is not there already. */
export class BundleUploads {
  readonly #connection: Connection;
  readonly #sent = new Map<string, Promise<void>>();
  /** Constants on their way. */
  readonly #blobs = new Map<string, Promise<void>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Resolves when the coordinator has the bundle. */
  ensure(bundle: Bundle): Promise<void> {
    const known = this.#sent.get(bundle.sha256);
    if (known !== undefined) return known;
    const sending = this.#sendIfMissing(bundle);
    this.#sent.set(bundle.sha256, sending);
    sending.catch(() => this.forget(bundle));
    return sending;
  }

  /** The coordinator has lost it: the next `ensure` asks again. */
  forget({ sha256 }: Bundle): void {
    this.#sent.delete(sha256);
  }

  /**
   * Resolves when the coordinator has a constant. It is asked anew each time: what no job needs has to make room there,
   * and a job's first word about it may come hours after the constant did.
   */
  ensureBlob(file: BlobFile): Promise<void> {
    const underway = this.#blobs.get(file.sha256);
    if (underway !== undefined) return underway;
    const sending = this.#sendBlob(file).finally(() => this.#blobs.delete(file.sha256));
    this.#blobs.set(file.sha256, sending);
    return sending;
  }

  async #sendBlob({ sha256, path }: BlobFile): Promise<void> {
    if (await this.#isMissing(sha256)) await this.#send({ sha256, bytes: await readFile(path) });
  }

  async #sendIfMissing(bundle: Bundle): Promise<void> {
    if (await this.#isMissing(bundle.sha256)) await this.#send(bundle);
  }

  async #isMissing(sha256: string): Promise<boolean> {
    const { bundles } = this.#connection;
    const { missingSha256 } = await this.#connection.call<HasBundlesResponse>((...call) =>
      bundles.hasBundles({ sha256: [sha256] }, ...call),
    );
    return missingSha256.includes(sha256);
  }

  async #send(bundle: Bundle): Promise<void> {
    const { bundles } = this.#connection;
    await this.#connection.upload(
      (...call) => bundles.putBundle(...call),
      () => messagesOf(bundle),
    );
  }
}

function* messagesOf({ bytes, sha256 }: Bundle): Generator<PutBundleRequest> {
  yield { message: { $case: 'header', value: { sha256, size: bytes.length } } };
  for (let at = 0; at < bytes.length; at += partBytes) {
    yield { message: { $case: 'part', value: bytes.subarray(at, at + partBytes) } };
  }
}

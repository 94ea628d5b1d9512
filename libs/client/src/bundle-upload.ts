import { type HasBundlesResponse, limits, type PutBundleRequest } from '@shoal/protocol';
import type { Bundle } from './bundle/bundle.ts';
import type { Connection } from './connection.ts';

const partBytes = limits.partBytes.default;

/** Sends bundles to a coordinator, each at most once in a connection and only if it is not there already. */
export class BundleUploads {
  readonly #connection: Connection;
  readonly #sent = new Map<string, Promise<void>>();

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

  async #sendIfMissing(bundle: Bundle): Promise<void> {
    const { bundles } = this.#connection;
    const { missingSha256 } = await this.#connection.call<HasBundlesResponse>((...call) =>
      bundles.hasBundles({ sha256: [bundle.sha256] }, ...call),
    );
    if (!missingSha256.includes(bundle.sha256)) return;
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

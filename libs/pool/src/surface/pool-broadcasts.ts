import { bytesText, ShoalError } from '@shoal/errors';
import type { BlobFile } from '../child-pool/chunk-request.ts';
import { encodeValue } from '../values/block-codec.ts';
import { type Broadcast, BroadcastHandle } from '../values/broadcast.ts';
import { type BlobHold, broadcastStore } from '../values/broadcast-store.ts';
import { explainUnportable, findBroadcast, findUnportable, type Unportable } from '../values/portable.ts';

/** The constants that one pool has broadcast. They live until they are released, or until the pool has ended. */
export class PoolBroadcasts {
  readonly #bytesMax: number;
  readonly #holds = new Set<BlobHold>();
  /** Of those that it made itself. */
  #bytes = 0;

  /** `kept`: constants of others that this pool needs to its end. */
  constructor(bytesMax: number, kept: readonly BlobFile[]) {
    this.#bytesMax = bytesMax;
    for (const file of kept) this.#holds.add(broadcastStore.hold(file));
  }

  /** Encodes a constant. Throws VALUE_NOT_PORTABLE, BROADCAST_TOO_LARGE or FILE_NOT_USABLE. */
  create<T>(value: T): Broadcast<T> {
    const bytes = encoded(value);
    const size = bytes.byteLength;
    this.#checkSize(size);
    const { file, hold } = broadcastStore.put(bytes);
    this.#holds.add(hold);
    this.#bytes += size;
    const handle = new BroadcastHandle({
      file,
      isLive: () => this.#holds.has(hold),
      read: () => value,
      release: () => {
        if (this.#holds.has(hold)) this.#bytes -= size;
        this.#letGo(hold);
      },
    });
    broadcastStore.answerWith(handle, file);
    return handle as Broadcast<unknown> as Broadcast<T>;
  }

  /** The pool has ended. */
  releaseAll(): void {
    for (const hold of this.#holds) this.#letGo(hold);
  }

  #letGo(hold: BlobHold): void {
    this.#holds.delete(hold);
    hold.letGo();
  }

  #checkSize(bytes: number): void {
    if (this.#bytes + bytes <= this.#bytesMax) return;
    throw new ShoalError('BROADCAST_TOO_LARGE', {
      size: bytesText(bytes),
      others: bytesText(this.#bytes),
      limit: bytesText(this.#bytesMax),
      sizeBytes: bytes,
      limitBytes: this.#bytesMax,
    });
  }
}

function encoded(value: unknown): Uint8Array {
  const refersTo = new Map<string, BlobFile>();
  let culprit = findUnportable(value);
  let bytes: Uint8Array | undefined;
  try {
    if (culprit === undefined) bytes = encodeValue(value, refersTo);
  } catch (error) {
    culprit = explainUnportable(value, 'v8', error);
  }
  // One inside another would have to be kept as long as the outer one, on every machine that has it.
  if (refersTo.size > 0) culprit = findBroadcast(value);
  if (culprit !== undefined || bytes === undefined) throw notPortable(culprit);
  return bytes;
}

function notPortable(culprit: Unportable | undefined): ShoalError {
  const { path = 'it', kind = 'refused' } = culprit ?? {};
  return new ShoalError('VALUE_NOT_PORTABLE', { what: 'The value to broadcast', path, kind });
}

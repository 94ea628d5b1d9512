import type { MapItems } from '@shoal/protocol';

/** Items that become a block. */
export interface CutItems {
  readonly count: number;
  /**
   * As a block holds them in the encodings of other languages (`json`, `bytes`): each a length (unsigned 32 bit, little
   * endian) and that many bytes. What is inside an item is never looked at.
   */
  readonly payload: Uint8Array;
}

const lengthBytes = 4;

/** Items of a Map call that no block has been made of: messages, and how far the first of them has been used. */
export class ItemQueue {
  readonly #messages: MapItems[] = [];
  #usedOfFirst = 0;
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of the items. */
  get byteLength(): number {
    return this.#bytes;
  }

  add(items: MapItems): void {
    if (items.count === 0) return;
    this.#messages.push(items);
    this.#count += items.count;
    this.#bytes += items.byteLength;
  }

  /** Cuts off a block: one item at least, `countMax` at most, and no further one once it has `bytesMax` bytes. */
  take(countMax: number, bytesMax: number): CutItems {
    const most = Math.min(countMax, this.#count);
    let count = 0;
    let size = 0;
    let nth = this.#usedOfFirst;
    let message = 0;
    while (count < most && (count === 0 || size < bytesMax)) {
      const items = this.#messages[message] as MapItems;
      size += lengthBytes + items.byteLengthOf(nth);
      count += 1;
      nth += 1;
      if (nth === items.count) [message, nth] = [message + 1, 0];
    }
    const payload = Buffer.allocUnsafe(size);
    let at = 0;
    for (let copied = 0; copied < count; copied++) at = this.#copyNext(payload, at);
    this.#count -= count;
    this.#bytes -= size - lengthBytes * count;
    return { count, payload };
  }

  #copyNext(payload: Buffer, at: number): number {
    const items = this.#messages[0] as MapItems;
    const nth = this.#usedOfFirst;
    const end = items.copy(nth, payload, payload.writeUInt32LE(items.byteLengthOf(nth), at));
    this.#usedOfFirst = nth + 1;
    if (this.#usedOfFirst === items.count) {
      this.#messages.shift();
      this.#usedOfFirst = 0;
    }
    return end;
  }
}

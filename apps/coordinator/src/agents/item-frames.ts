import { ShoalError } from '@shoal/errors';

const lengthBytes = 4;

/**
 * Items as a block holds them in the encodings of other languages (`json`, `bytes`): each a length (unsigned 32 bit,
 * little endian) and that many bytes. What is inside an item is never looked at.
 */
export function frameItems(items: readonly Uint8Array[]): Uint8Array {
  const block = Buffer.allocUnsafe(items.reduce((sum, item) => sum + lengthBytes + item.byteLength, 0));
  let at = 0;
  for (const item of items) {
    at = block.writeUInt32LE(item.byteLength, at);
    block.set(item, at);
    at += item.byteLength;
  }
  return block;
}

/** The items of a block: views, not copies. Throws where the lengths do not add up to `count` items. */
export function unframeItems(block: Uint8Array, count: number): Uint8Array[] {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const items: Uint8Array[] = [];
  let at = 0;
  while (items.length < count && at + lengthBytes <= block.byteLength) {
    const end = at + lengthBytes + view.getUint32(at, true);
    if (end > block.byteLength) break;
    items.push(block.subarray(at + lengthBytes, end));
    at = end;
  }
  if (items.length !== count || at !== block.byteLength) {
    throw new ShoalError('INTERNAL', {
      reason: `a run of ${count} results has ${block.byteLength} odd bytes`,
    });
  }
  return items;
}

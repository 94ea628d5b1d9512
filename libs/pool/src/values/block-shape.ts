/**
 * Whether bytes can be a block of so many values, by their first bytes: what a child sends in place of its results is known
 * when it arrives, and blamed on who sent it. Nothing is decoded. What lies behind those bytes is seen by whoever reads the
 * values, which must not believe it either.
 */
import type { Encoding } from '../child-pool/chunk-request.ts';
import { packedMin } from './number-list.ts';
import { areTexts, countOfTexts } from './text-list.ts';

/** How structured clone begins, before the number of its version. */
const mark = 0xff;
/** What it says of what follows. */
const denseList = 0x41;
const sparseList = 0x61;
const anyObject = 0x6f;
const view = 0x5c;
const headBytes = 3;
const lengthBytes = 4;

/** Takes time by the number of values, at most. */
export function canBeBlock(encoding: Encoding, bytes: Uint8Array, count: number): boolean {
  return encoding === 'v8' ? canBeClone(bytes, count) : areRecords(bytes, count);
}

function canBeClone(bytes: Uint8Array, count: number): boolean {
  if (areTexts(bytes)) return countOfTexts(bytes) === count;
  if (bytes[0] !== mark) return false;
  const first = readVarint(bytes, headBytes);
  switch (bytes[headBytes - 1]) {
    case denseList:
    case sparseList:
      return first?.value === count;
    case view: {
      // Its kind, then how many bytes it takes.
      const length = first === undefined ? undefined : readVarint(bytes, first.end);
      if (length === undefined || bytes.byteLength - length.end !== length.value) return false;
      return count >= packedMin && (length.value === 4 * count || length.value === 8 * count);
    }
    case anyObject:
      return count >= packedMin;
    default:
      return false;
  }
}

function areRecords(bytes: Uint8Array, count: number): boolean {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let nth = 0; nth < count; nth++) {
    if (at + lengthBytes > bytes.byteLength) return false;
    at += lengthBytes + words.getUint32(at, true);
  }
  return at === bytes.byteLength;
}

/** Seven bits a byte, the lowest first; undefined where it does not end within 32. */
function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let nth = 0; nth < 5; nth++) {
    const byte = bytes[start + nth];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * nth);
    if (byte < 0x80) return { value, end: start + nth + 1 };
  }
  return undefined;
}

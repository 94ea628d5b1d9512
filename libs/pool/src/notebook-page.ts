/**
 * A page of a file that a child and its pool share, and what stands there: the bytes that the child says next.
 *
 *   position in all that it says (f64) | how many bytes (u32) | the bytes | the position again (f64)     little endian
 *
 * Whoever writes to a descriptor wakes its reader, and a wake costs more than a short chunk does. A page wakes nobody: it is read
 * where its child is gone, or has been silent for a while. The position stands there twice because it is written without the
 * reader's knowledge: where the two differ, one of them is of the page before.
 */
import type { Buffer } from 'node:buffer';

/** One page of memory: it is written whole or not at all, also where its child is killed meanwhile. */
export const pageBytes = 4_096;
export const pageHeadBytes = 12;
const pageTailBytes = 8;
/** What fits between head and tail. */
export const notesBytesMax: number = pageBytes - pageHeadBytes - pageTailBytes;

/** Put head and tail around the bytes that stand in the page; returns how much of it is to be written. */
export function closePage(page: Uint8Array, position: number, bytes: number): number {
  const end = pageHeadBytes + bytes;
  putDouble(page, position, 0);
  for (let at = 0; at < 4; at++) page[8 + at] = bytes >>> (8 * at);
  putDouble(page, position, end);
  return end + pageTailBytes;
}

/** What stands in a page of which `length` bytes could be read; undefined where that is nothing whole. */
export function readPage(
  page: Buffer,
  length: number,
): { readonly position: number; readonly bytes: Buffer } | undefined {
  if (length < pageHeadBytes + pageTailBytes) return undefined;
  const position = page.readDoubleLE(0);
  const end = pageHeadBytes + page.readUInt32LE(8);
  if (end + pageTailBytes > length || page.readDoubleLE(end) !== position) return undefined;
  return Number.isSafeInteger(position) ? { position, bytes: page.subarray(pageHeadBytes, end) } : undefined;
}

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

function putDouble(into: Uint8Array, value: number, at: number): void {
  double[0] = value;
  for (let i = 0; i < 8; i++) into[at + i] = doubleBytes[i] as number;
}

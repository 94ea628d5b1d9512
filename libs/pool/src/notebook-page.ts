/**
 * A page of a file that a child and its pool share, and what stands there: the bytes that the child says next.
 *
 *   position in all that it says (f64) | how many bytes (u32) | sum of all the rest (u32) | the bytes     little endian
 *
 * Whoever writes to a descriptor wakes its reader, and a wake costs more than a short chunk does. A page wakes nobody: it is read
 * where its child is gone, or has been silent for a while. It is written without the reader's knowledge, and no system keeps a read
 * from seeing half of a write: the head of a page, the middle of a shorter one that was written over it, and behind that the first
 * page again. Nothing that stands at one place tells such a mixture from a page, so the sum is over every byte.
 */
import type { Buffer } from 'node:buffer';

/** One page of memory: it is written whole or not at all where its child is killed meanwhile. */
export const pageBytes = 4_096;
export const pageHeadBytes = 16;
/** What fits behind the head. */
export const notesBytesMax: number = pageBytes - pageHeadBytes;
/** Of the head, before the sum. */
const summedHeadBytes = 12;

// Taken at start: in a child, tasks may replace it.
const { imul } = Math;

/** The sum (FNV-1a, 32 bits) of these bytes of a page behind those that `sum` is of. */
export function sumOf(page: Uint8Array, from: number, to: number, sum: number = 0x811c_9dc5): number {
  let all = sum | 0;
  for (let at = from; at < to; at++) all = imul(all ^ (page[at] as number), 0x0100_0193);
  return all;
}

/** Put the head before the bytes that stand in the page, which have this sum; returns how much of it is to be written. */
export function closePage(
  page: Uint8Array,
  position: number,
  bytes: number,
  sum: number = sumOf(page, pageHeadBytes, pageHeadBytes + bytes),
): number {
  putDouble(page, position, 0);
  putInteger(page, bytes, 8);
  putInteger(page, sumOf(page, 0, summedHeadBytes, sum), summedHeadBytes);
  return pageHeadBytes + bytes;
}

/** What stands in a page of which `length` bytes could be read; undefined where that is nothing whole. */
export function readPage(
  page: Buffer,
  length: number,
): { readonly position: number; readonly bytes: Buffer } | undefined {
  if (length < pageHeadBytes) return undefined;
  const position = page.readDoubleLE(0);
  const end = pageHeadBytes + page.readUInt32LE(8);
  if (end > length || !Number.isSafeInteger(position)) return undefined;
  const sum = sumOf(page, 0, summedHeadBytes, sumOf(page, pageHeadBytes, end));
  return page.readInt32LE(summedHeadBytes) === sum
    ? { position, bytes: page.subarray(pageHeadBytes, end) }
    : undefined;
}

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

function putDouble(into: Uint8Array, value: number, at: number): void {
  double[0] = value;
  for (let i = 0; i < 8; i++) into[at + i] = doubleBytes[i] as number;
}

function putInteger(into: Uint8Array, value: number, at: number): void {
  for (let i = 0; i < 4; i++) into[at + i] = value >>> (8 * i);
}

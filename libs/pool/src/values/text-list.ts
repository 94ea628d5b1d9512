/**
 * Lists of nothing but long strings travel as what is in their memory, one after the other: a byte for each unit of text where
 * none needs more, two otherwise. It takes a copy of memory, where structured clone lets its buffer grow while it writes, and
 * reads a string several times dearer than its bytes are. What arrives is the same units: halves of pairs, too.
 *
 *   mark (u8) | number of texts (u32) | for each: units (31 bits) and whether they are wide (the highest bit) | texts
 *
 * little endian, without padding. Structured clone begins with another byte, so that nobody can take the one for the other.
 */
import { Buffer } from 'node:buffer';

interface TextMethods {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, at: number, bytes: number): number;
  ucs2Slice(start: number, end: number): string;
  ucs2Write(text: string, at: number, bytes: number): number;
}

// Taken at start: in a child, tasks may replace them. Those that take the name of an encoding find these by name.
const { allocUnsafeSlow } = Buffer;
const { call } = Function.prototype;
const methods = Buffer.prototype as unknown as TextMethods;
type Read = (bytes: Uint8Array, start: number, end: number) => string;
type Write = (into: Uint8Array, text: string, at: number, bytes: number) => number;
const readNarrow: Read = call.bind(methods.latin1Slice) as never;
const readWide: Read = call.bind(methods.ucs2Slice) as never;
const writeNarrow: Write = call.bind(methods.latin1Write) as never;
const writeWide: Write = call.bind(methods.ucs2Write) as never;
const find: (pattern: RegExp, text: string) => object | null = call.bind(RegExp.prototype.exec) as never;

/** V8 knows of a string that it holds a byte a unit that this is not in it, and looks no further. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: all that fit into a byte are meant.
const wide: RegExp = /[^\x00-\xff]/;

const mark = 0x54;
const headBytes = 5;
const wordBytes = 4;
const wideBit = 0x8000_0000;

/** Shorter ones, on the average, gain nothing: a call for each is dearer than structured clone. */
const unitsMin = 512;

/** Memory for so many bytes. What is in it does not matter. */
export type Room = (bytes: number) => Uint8Array;

/** The same texts as bytes; undefined where something else is among the values, a hole even, or they are short. */
export function packTexts(values: readonly unknown[], room: Room = allocUnsafeSlow): Uint8Array | undefined {
  const count = values.length;
  if (count === 0 || typeof values[0] !== 'string') return undefined;
  const units = unitsOf(values);
  if (units === undefined || units < unitsMin * count) return undefined;
  const words = wordsOf(values);
  const bytes = room(headBytes + wordBytes * count + textBytesOf(words));
  bytes[0] = mark;
  putWord(bytes, 1, count);
  let at = headBytes + wordBytes * count;
  for (let nth = 0; nth < count; nth++) {
    const word = words[nth] as number;
    putWord(bytes, headBytes + wordBytes * nth, word);
    const size = sizeOf(word);
    if (word < wideBit) writeNarrow(bytes, values[nth] as string, at, size);
    else writeWide(bytes, values[nth] as string, at, size);
    at += size;
  }
  return bytes;
}

/** Whether bytes are texts by their first one. */
export function areTexts(bytes: Uint8Array): boolean {
  return bytes[0] === mark;
}

/**
 * How many texts these are; undefined where they are not what {@link packTexts} makes, whatever they begin with. Makes
 * nothing; takes time by their number.
 */
export function countOfTexts(bytes: Uint8Array): number | undefined {
  const { byteLength } = bytes;
  if (byteLength < headBytes || bytes[0] !== mark) return undefined;
  const count = wordAt(bytes, 1);
  let end = headBytes + wordBytes * count;
  for (let nth = 0; nth < count && end <= byteLength; nth++) {
    end += sizeOf(wordAt(bytes, headBytes + wordBytes * nth));
  }
  return end === byteLength ? count : undefined;
}

/** The texts from `from` to before `until`, of bytes that {@link countOfTexts} has counted. */
export function unpackTexts(bytes: Uint8Array, from: number, until: number): string[] {
  let at = headBytes + wordBytes * wordAt(bytes, 1);
  for (let nth = 0; nth < from; nth++) at += sizeOf(wordAt(bytes, headBytes + wordBytes * nth));
  const texts: string[] = [];
  for (let nth = from; nth < until; nth++) {
    const word = wordAt(bytes, headBytes + wordBytes * nth);
    const end = at + sizeOf(word);
    texts[nth - from] = word < wideBit ? readNarrow(bytes, at, end) : readWide(bytes, at, end);
    at = end;
  }
  return texts;
}

// Functions of their own, and small: the compiler has them ready after few items.

/** In all of them; undefined where something else is among them. */
function unitsOf(values: readonly unknown[]): number | undefined {
  let units = 0;
  for (let nth = 0; nth < values.length; nth++) {
    const value = values[nth];
    if (typeof value !== 'string') return undefined;
    units += value.length;
  }
  return units;
}

function wordsOf(values: readonly unknown[]): number[] {
  const words: number[] = [];
  for (let nth = 0; nth < values.length; nth++) {
    const text = values[nth] as string;
    words[nth] = find(wide, text) === null ? text.length : text.length + wideBit;
  }
  return words;
}

function textBytesOf(words: readonly number[]): number {
  let bytes = 0;
  for (let nth = 0; nth < words.length; nth++) bytes += sizeOf(words[nth] as number);
  return bytes;
}

const sizeOf = (word: number): number => (word < wideBit ? word : 2 * (word - wideBit));

function putWord(into: Uint8Array, at: number, word: number): void {
  into[at] = word;
  into[at + 1] = word >>> 8;
  into[at + 2] = word >>> 16;
  into[at + 3] = word >>> 24;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}

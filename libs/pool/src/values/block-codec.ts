/**
 * Values as bytes: how items and results are written into a `Block`.
 *
 * Runs in the caller and in every child, so it needs nothing but Node's own modules.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import v8 from 'node:v8';
import type { BlobFile, Encoding } from '../child-pool/chunk-request.ts';
import { BroadcastHandle, foundBroadcast } from './broadcast.ts';
import { isPacked, packNumbers, type ValueList } from './number-list.ts';
import { countOfRecords, packRecords, type RecordColumns, unpackRecords } from './record-list.ts';
import { areTexts, countOfTexts, packTexts, type Room, unpackTexts } from './text-list.ts';

// Taken at start: in a child, tasks may replace them. For the same reason values are read and written without methods and
// iterators: what one item has left of those must cost no other item its result.
const { allocUnsafe, from: bufferFrom } = Buffer;
const { isArray } = Array;
const { isView } = ArrayBuffer;
const { parse, stringify } = JSON;
const { call } = Function.prototype;
const memoryOf: (buffer: ArrayBufferLike, start: number, end: number) => ArrayBuffer = call.bind(
  ArrayBuffer.prototype.slice,
) as never;
const copyInto: (target: Uint8Array, source: Uint8Array, at: number) => void = call.bind(
  Uint8Array.prototype.set,
) as never;
const holds: (text: string, part: string) => boolean = call.bind(String.prototype.includes) as never;
const textOf: (bytes: Buffer, encoding: 'utf8') => string = call.bind(Buffer.prototype.toString) as never;

/**
 * Write consecutive values as the bytes of one block.
 *
 * Throws what the encoding throws for a value that it cannot carry; `findUnportable` then says which and where, and
 * has to be asked beforehand about values that structured clone would flatten without a word.
 * `refersTo` collects the constants that the values hold handles of; `room` gives memory for them, where it is known before
 * how much they need.
 */
export function encodeBlock(
  encoding: Encoding,
  values: readonly unknown[],
  refersTo?: Map<string, BlobFile>,
  room?: Room,
): Uint8Array {
  switch (encoding) {
    case 'v8':
      return packTexts(values, room) ?? encodeValue(values, refersTo);
    case 'json':
      return writeRecords(values, (value) => bufferFrom(stringify(value) ?? 'null'));
    case 'bytes':
      return writeRecords(values, asBytes);
  }
}

/**
 * The same for many numbers and nothing else, which need no look at each whether it can travel: undefined where they are
 * something else, or few.
 */
export function encodeNumbers(values: readonly unknown[]): Uint8Array | undefined {
  const packed = packNumbers(values);
  return packed === undefined ? undefined : encodeValue(packed);
}

/**
 * The same for many records of one shape, whose fields can all travel: undefined where they are something else, or few.
 */
export function encodeRecords(values: readonly unknown[]): Uint8Array | undefined {
  try {
    const columns = packRecords(values);
    return columns === undefined ? undefined : encodeValue(columns);
  } catch {
    // A field that throws when it is read: whoever looks at each value finds out whose.
    return undefined;
  }
}

/**
 * Read a block's values. Throws a `RangeError` where the bytes are no block of `count` values, before any is made that is
 * too many. A record that is no JSON leaves a hole: its neighbours are read all the same ({@link jsonErrorOf} says why).
 */
export function decodeBlock(encoding: Encoding, bytes: Uint8Array, count: number): ValueList {
  if (encoding === 'v8') return decodeList(bytes, 0, count, true);
  const records = readRecords(bytes, count);
  const values: unknown[] = [];
  for (let at = 0; at < count; at++) {
    const record = records[at] as Uint8Array;
    // A copy each: a record that the user keeps must not keep the whole block, nor show its neighbours.
    if (encoding === 'bytes') values[at] = bufferFrom(record);
    else {
      try {
        values[at] = parse(asText(record));
      } catch {}
    }
  }
  values.length = count;
  return values;
}

/** Why the record at a place of a JSON block is no JSON; undefined where it is. */
export function jsonErrorOf(bytes: Uint8Array, at: number): unknown {
  let from = 0;
  for (let before = 0; before < at; before++) from = recordEnd(bytes, from);
  const start = from + lengthBytes;
  try {
    parse(asText(new Uint8Array(bytes.buffer, bytes.byteOffset + start, recordEnd(bytes, from) - start)));
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * The values from `offset` on of a list in any of the ways in which one travels, `count` of them; none may follow where it
 * is `exact`. Throws where the bytes are no such list. Nothing is made of what is not asked for: who wrote it may say that it
 * is millions.
 */
export function decodeList(
  bytes: Uint8Array,
  offset: number,
  count: number,
  exact: boolean = false,
): ValueList {
  const until = offset + count;
  if (areTexts(bytes)) {
    checkLength(countOfTexts(bytes), until, exact);
    return unpackTexts(bytes, offset, until);
  }
  const values = decodeValue(bytes);
  const isList = isArray(values) || isPacked(values);
  checkLength(isList ? values.length : countOfRecords(values), until, exact);
  if (!isList) return unpackRecords(values as RecordColumns, offset, until);
  return offset === 0 ? (values as ValueList) : (values as ValueList).slice(offset, until);
}

function checkLength(length: number | undefined, until: number, exact: boolean): void {
  if (length === undefined) throw new RangeError('A block of structured clones is no list.');
  if (exact ? length !== until : length < until) {
    throw new RangeError(`A block of ${until} values holds ${length}.`);
  }
}

/** One structured clone as bytes. */
export function encodeValue(value: unknown, refersTo?: Map<string, BlobFile>): Uint8Array {
  const writer = new ReferringSerializer(refersTo);
  writer.writeHeader();
  writer.writeValue(value);
  return writer.releaseBuffer();
}

/**
 * Read one structured clone.
 *
 * Unlike `v8.deserialize`, typed arrays and Buffers get memory of their own: a ten-byte Buffer must not keep the
 * whole message alive, nor show its neighbours through `.buffer`.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  const reader = new OwningDeserializer(bytes);
  reader.readHeader();
  return reader.readValue();
}

interface HostObjectWriter {
  _writeHostObject(view: ArrayBufferView): void;
}

interface HostObjectReader {
  readonly buffer: Uint8Array;
  /** Where they begin. */
  _readRawBytes(length: number): number;
}

const writeView = (v8.DefaultSerializer.prototype as unknown as HostObjectWriter)._writeHostObject;

type View = new (memory: ArrayBuffer) => ArrayBufferView;

/**
 * A view is written as the number of its kind, its length, its bytes. These are Node's numbers; it reads views itself, but
 * by methods of Buffers, which a task can replace.
 */
const viewKinds: readonly (View | undefined)[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  DataView,
  // A Buffer, which is made in another way.
  undefined,
  BigInt64Array,
  BigUint64Array,
  (globalThis as { readonly Float16Array?: View }).Float16Array,
];
const bufferKind = 10;
/** This number is for a handle: no kind of view has it. What follows is the constant's hash. */
const handleKind = 0xffff_ffff;
const hashBytes = 32;

/** `v8.serialize`, but a handle becomes a reference. */
class ReferringSerializer extends v8.DefaultSerializer {
  readonly #refersTo: Map<string, BlobFile> | undefined;

  constructor(refersTo: Map<string, BlobFile> | undefined) {
    super();
    this.#refersTo = refersTo;
  }

  _writeHostObject(view: ArrayBufferView): void {
    const source = BroadcastHandle.sourceOf(view);
    if (source === undefined) {
      writeView.call(this as unknown as HostObjectWriter, view);
      return;
    }
    if (!source.isLive()) throw new TypeError('A broadcast value was released.');
    const { file } = source;
    this.#refersTo?.set(file.sha256, file);
    this.writeUint32(handleKind);
    this.writeUint32(hashBytes);
    this.writeRawBytes(bytesOfHash(file.sha256));
  }
}

class OwningDeserializer extends v8.DefaultDeserializer {
  _readHostObject(): ArrayBufferView {
    const reader = this as unknown as HostObjectReader;
    const kind = this.readUint32();
    const length = this.readUint32();
    const start = reader.buffer.byteOffset + reader._readRawBytes(length);
    const memory = memoryOf(reader.buffer.buffer, start, start + length);
    if (kind === handleKind) return foundBroadcast(hashOf(new Uint8Array(memory)));
    if (kind === bufferKind) return bufferFrom(memory);
    const Kind = viewKinds[kind];
    if (Kind === undefined) throw new RangeError(`There is no view of kind ${kind}.`);
    return new Kind(memory);
  }
}

const digits = '0123456789abcdef';

/** By hand, as the rest: this is how the items after a task that replaced methods of Buffers come by their constants. */
function hashOf(bytes: Uint8Array): string {
  let hash = '';
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    hash += `${digits[byte >> 4]}${digits[byte & 15]}`;
  }
  return hash;
}

function bytesOfHash(hash: string): Uint8Array {
  const bytes = new Uint8Array(hashBytes);
  for (let at = 0; at < hash.length; at++) {
    let digit = 0;
    while (digit < 15 && digits[digit] !== hash[at]) digit += 1;
    bytes[at >> 1] = ((bytes[at >> 1] as number) << 4) | digit;
  }
  return bytes;
}

const lengthBytes = 4;

function writeRecords(values: readonly unknown[], write: (value: unknown) => Uint8Array): Uint8Array {
  const records: Uint8Array[] = [];
  let size = 0;
  for (let nth = 0; nth < values.length; nth++) {
    const record = write(values[nth]);
    records[nth] = record;
    size += lengthBytes + record.byteLength;
  }
  const bytes = allocUnsafe(size);
  let at = 0;
  for (let nth = 0; nth < records.length; nth++) {
    const record = records[nth] as Uint8Array;
    const length = record.byteLength;
    for (let byte = 0; byte < lengthBytes; byte++) bytes[at + byte] = length >>> (8 * byte);
    copyInto(bytes, record, at + lengthBytes);
    at += lengthBytes + length;
  }
  return bytes;
}

/** Views of `count` records. */
function readRecords(bytes: Uint8Array, count: number): Uint8Array[] {
  const { buffer, byteLength, byteOffset } = bytes;
  const records: Uint8Array[] = [];
  let at = 0;
  while (at < byteLength) {
    const start = at + lengthBytes;
    const end = recordEnd(bytes, at);
    if (records.length === count) throw new RangeError(`A block of ${count} values holds more.`);
    records[records.length] = new Uint8Array(buffer, byteOffset + start, end - start);
    at = end;
  }
  if (records.length < count) {
    throw new RangeError(`A block of ${count} values holds ${records.length}.`);
  }
  return records;
}

/** Where the record that begins at `at` ends. */
function recordEnd(bytes: Uint8Array, at: number): number {
  const start = at + lengthBytes;
  if (start > bytes.byteLength) throw new RangeError('A block ends inside a record.');
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  const end = start + ((low | ((bytes[at + 3] as number) << 24)) >>> 0);
  if (end > bytes.byteLength) throw new RangeError('A block ends inside a record.');
  return end;
}

function asBytes(value: unknown): Uint8Array {
  if (isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`The encoding "bytes" carries Uint8Array and ArrayBuffer, not ${typeof value}.`);
}

/** Throws where they are no UTF-8: reading would put U+FFFD in the place of what is none, without a word. */
function asText(bytes: Uint8Array): string {
  const text = textOf(bufferFrom(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'utf8');
  // It is in few texts, and looking for it is cheaper than a look at the bytes.
  if (holds(text, '\ufffd') && !isUtf8(bytes)) throw new RangeError('bytes that are no UTF-8');
  return text;
}

/**
 * Values as bytes: how items and results are written into a `Block`.
 *
 * Runs in the caller and in every child, so it needs nothing but Node's own modules.
 */
import { Buffer } from 'node:buffer';
import v8 from 'node:v8';
import type { BlobFile, Encoding } from '../child-pool/chunk-request.ts';
import { BroadcastHandle, foundBroadcast } from './broadcast.ts';
import { isPacked, packNumbers, type ValueList } from './number-list.ts';
import { isRecordColumns, packRecords, unpackRecords } from './record-list.ts';

/**
 * Write consecutive values as the bytes of one block.
 *
 * Throws what the encoding throws for a value that it cannot carry; `findUnportable` then says which and where, and
 * has to be asked beforehand about values that structured clone would flatten without a word.
 * `refersTo` collects the constants that the values hold handles of.
 */
export function encodeBlock(
  encoding: Encoding,
  values: readonly unknown[],
  refersTo?: Map<string, BlobFile>,
): Uint8Array {
  switch (encoding) {
    case 'v8':
      return encodeValue(values, refersTo);
    case 'json':
      return writeRecords(values.map((value) => Buffer.from(JSON.stringify(value) ?? 'null')));
    case 'bytes':
      return writeRecords(values.map(asBytes));
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

/** Read a block's values. Throws a `RangeError` where the bytes are no block of `count` values. */
export function decodeBlock(encoding: Encoding, bytes: Uint8Array, count: number): ValueList {
  const values = readValues(encoding, bytes);
  if (values.length !== count) {
    throw new RangeError(`A block of ${count} values holds ${values.length}.`);
  }
  return values;
}

function readValues(encoding: Encoding, bytes: Uint8Array): ValueList {
  switch (encoding) {
    case 'v8':
      return decodeList(bytes);
    case 'json':
      return readRecords(bytes).map((record) => JSON.parse(asText(record)) as unknown);
    case 'bytes':
      // A copy each: a record that the user keeps must not keep the whole block, nor show its neighbours.
      return readRecords(bytes).map((record) => Buffer.from(record));
  }
}

// Taken at start: in a child, tasks may replace it.
const { isArray } = Array;

/** Read a list in any of the ways in which one travels. Throws a `RangeError` where the bytes are none. */
export function decodeList(bytes: Uint8Array): ValueList {
  const values = decodeValue(bytes);
  if (isArray(values) || isPacked(values)) return values;
  if (isRecordColumns(values)) return unpackRecords(values);
  throw new RangeError('A block of structured clones is no list.');
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

interface HostObjects {
  _writeHostObject(view: ArrayBufferView): void;
  _readHostObject(): ArrayBufferView;
}

const writeView = (v8.DefaultSerializer.prototype as unknown as HostObjects)._writeHostObject;
const readView = (v8.DefaultDeserializer.prototype as unknown as HostObjects)._readHostObject;

/**
 * A view is written as the number of its kind, its length, its bytes. This number is for a handle: Node's own are below
 * 16, and no length is so big. What follows is the constant's hash, as the bytes of a Uint8Array.
 */
const handleKind = 0xffff_ffff;
const uint8ArrayKind = 1;
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
      writeView.call(this as unknown as HostObjects, view);
      return;
    }
    if (!source.isLive()) throw new TypeError('A broadcast value was released.');
    const { file } = source;
    this.#refersTo?.set(file.sha256, file);
    this.writeUint32(handleKind);
    this.writeUint32(hashBytes);
    this.writeRawBytes(Buffer.from(file.sha256, 'hex'));
  }
}

class OwningDeserializer extends v8.DefaultDeserializer {
  #isHandle = false;

  /** Called for the kind of a view, and for its length. */
  override readUint32(): number {
    const number = super.readUint32();
    if (number !== handleKind) return number;
    this.#isHandle = true;
    return uint8ArrayKind;
  }

  _readHostObject(): ArrayBufferView {
    const view = readView.call(this as unknown as HostObjects);
    if (this.#isHandle) {
      this.#isHandle = false;
      return foundBroadcast(Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex'));
    }
    const start = view.byteOffset;
    const memory = view.buffer.slice(start, start + view.byteLength);
    if (Buffer.isBuffer(view)) return Buffer.from(memory as ArrayBuffer);
    const Kind = view.constructor as new (memory: ArrayBufferLike) => ArrayBufferView;
    return new Kind(memory);
  }
}

const lengthBytes = 4;

function writeRecords(records: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const record of records) size += lengthBytes + record.byteLength;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const record of records) {
    at = bytes.writeUInt32LE(record.byteLength, at);
    bytes.set(record, at);
    at += record.byteLength;
  }
  return bytes;
}

function readRecords(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    if (at + lengthBytes > bytes.byteLength) throw new RangeError('A block ends inside a record.');
    const length = view.getUint32(at, true);
    at += lengthBytes;
    if (at + length > bytes.byteLength) throw new RangeError('A block ends inside a record.');
    records.push(bytes.subarray(at, at + length));
    at += length;
  }
  return records;
}

function asBytes(value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`The encoding "bytes" carries Uint8Array and ArrayBuffer, not ${typeof value}.`);
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

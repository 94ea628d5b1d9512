import type { BinaryWriter } from '@bufbuild/protobuf/wire';

/** What a generated codec can do with a writer. */
interface Encodable<T> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
}

/**
 * A message that is not put together yet, as far as grpc-js uses a Buffer that a serializer gave it: it asks for the
 * length, writes its own five bytes, and has the message copied behind them.
 */
export interface Unassembled {
  readonly length: number;
  readonly byteLength: number;
  /** Copies all of it to `at` and answers how many bytes that were. */
  copy(target: Uint8Array, at: number): number;
}

/** An embedded message that is being written. */
interface Fork {
  /** Where it begins in the scratch: with one byte for its length, which is enough for most. */
  readonly start: number;
  /** Once a piece had to be finished inside it: the place of its length, and #bytes behind that place. */
  place: { readonly piece: number; readonly bytes: number } | undefined;
}

/** Payloads shorter than this are cheaper to copy at once than to remember. */
const payloadBytesMin = 512;
const scratchBytes = 4096;
const nothing = new Uint8Array(0);

/** Pieces of a message, in their order. */
class Pieces implements Unassembled {
  readonly length: number;
  readonly #pieces: readonly Uint8Array[];

  constructor(pieces: readonly Uint8Array[], length: number) {
    this.#pieces = pieces;
    this.length = length;
  }

  get byteLength(): number {
    return this.length;
  }

  copy(target: Uint8Array, at: number): number {
    let to = at;
    for (const piece of this.#pieces) {
      target.set(piece, to);
      to += piece.length;
    }
    return this.length;
  }
}

/** Bytes that were written already, and the rest of their message behind them. */
export class Joined implements Unassembled {
  readonly length: number;
  readonly #before: Pieces;
  readonly #rest: Unassembled;

  constructor(before: readonly Uint8Array[], rest: Unassembled) {
    let bytes = 0;
    for (const piece of before) bytes += piece.byteLength;
    this.#before = new Pieces(before, bytes);
    this.#rest = rest;
    this.length = bytes + rest.length;
  }

  get byteLength(): number {
    return this.length;
  }

  copy(target: Uint8Array, at: number): number {
    return this.#before.copy(target, at) + this.#rest.copy(target, at + this.#before.length);
  }
}

/**
 * Writes a message for gRPC with one copy of its payload.
 *
 * The writer that the generated code comes with moves a payload at every level of nesting, whenever its buffer grows,
 * at its end, once more to become a Buffer, and gRPC does so to put its header before it: seven times 256 KiB for a
 * block. This one remembers payloads by reference until gRPC has a buffer for the whole frame, and copies them there.
 * The generated code drives both alike, so the bytes cannot differ by field, order or default; a test compares them all
 * the same.
 */
class FrameWriter {
  /** Small fields, as they are written; pieces refer to ranges of it. */
  #scratch: Buffer = Buffer.allocUnsafe(scratchBytes);
  #at = 0;
  /** Where the piece that is being written begins. */
  #pieceStart = 0;
  /** Finished pieces: parts of a scratch, payloads, and places for the lengths of forks that have pieces inside. */
  readonly #pieces: Uint8Array[] = [];
  /** Length of all finished pieces. */
  #bytes = 0;
  readonly #forks: Fork[] = [];

  uint32(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
      throw new RangeError(`invalid uint32: ${value}`);
    this.#reserve(5);
    this.#varint(value);
    return this;
  }

  uint64(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`invalid uint64: ${value}`);
    this.#reserve(8);
    this.#varint(value);
    return this;
  }

  int32(value: number): this {
    if (!Number.isInteger(value) || value < -0x80000000 || value > 0x7fffffff)
      throw new RangeError(`invalid int32: ${value}`);
    if (value >= 0) return this.uint32(value);
    // Negative numbers are extended to 64 bits: always ten bytes.
    this.#reserve(10);
    let rest = value;
    for (let i = 0; i < 9; i++) {
      this.#scratch[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>= 7;
    }
    this.#scratch[this.#at++] = 1;
    return this;
  }

  sint32(value: number): this {
    return this.uint32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  bool(value: boolean): this {
    this.#reserve(1);
    this.#scratch[this.#at++] = value ? 1 : 0;
    return this;
  }

  double(value: number): this {
    this.#reserve(8);
    this.#at = this.#scratch.writeDoubleLE(value, this.#at);
    return this;
  }

  string(value: string): this {
    const bytes = Buffer.byteLength(value);
    this.uint32(bytes);
    this.#reserve(bytes);
    this.#at += this.#scratch.write(value, this.#at, bytes);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.uint32(value.length);
    if (value.length < payloadBytesMin) {
      this.#reserve(value.length);
      this.#scratch.set(value, this.#at);
      this.#at += value.length;
    } else {
      this.#endPiece();
      this.#add(value);
    }
    return this;
  }

  fork(): this {
    this.#reserve(1);
    this.#forks.push({ start: this.#at++, place: undefined });
    return this;
  }

  join(): this {
    // Room for a longer length; making it may finish a piece, and thus change how this fork ends.
    this.#reserve(1);
    const fork = this.#forks.pop();
    if (fork === undefined) throw new Error('join() without fork()');
    if (fork.place === undefined) {
      this.#joinInScratch(fork.start);
      return this;
    }
    this.#endPiece();
    this.uint32(this.#bytes - fork.place.bytes);
    const length = this.#scratch.subarray(this.#pieceStart, this.#at);
    this.#pieceStart = this.#at;
    this.#pieces[fork.place.piece] = length;
    this.#bytes += length.length;
    return this;
  }

  /** The whole message. The writer must not be used afterwards, and payloads must not change until it was copied. */
  finish(): Unassembled {
    this.#endPiece();
    return new Pieces(this.#pieces, this.#bytes);
  }

  /** Invariant: what is longer than a scratch has had a piece finished inside it, so two bytes of length will do. */
  #joinInScratch(start: number): void {
    const end = this.#at;
    const bytes = end - start - 1;
    if (bytes < 0x80) {
      this.#scratch[start] = bytes;
      return;
    }
    this.#scratch.copyWithin(start + 2, start + 1, end);
    this.#scratch[start] = (bytes & 0x7f) | 0x80;
    this.#scratch[start + 1] = bytes >>> 7;
    this.#at = end + 1;
  }

  #varint(value: number): void {
    let rest = value;
    // Beyond 32 bits the shift operators would cut it off.
    while (rest > 0x7fffffff) {
      this.#scratch[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest > 0x7f) {
      this.#scratch[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#scratch[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#scratch.length) return;
    this.#endPiece();
    this.#scratch = Buffer.allocUnsafe(Math.max(scratchBytes, bytes));
    this.#at = 0;
    this.#pieceStart = 0;
  }

  /** Finishes what is in the scratch. Each open fork that begins in it gets a place for its length. */
  #endPiece(): void {
    for (const fork of this.#forks) {
      if (fork.place !== undefined) continue;
      this.#addScratch(fork.start);
      this.#pieceStart = fork.start + 1;
      fork.place = { piece: this.#pieces.length, bytes: this.#bytes };
      this.#pieces.push(nothing);
    }
    this.#addScratch(this.#at);
    this.#pieceStart = this.#at;
  }

  #addScratch(end: number): void {
    if (end > this.#pieceStart) this.#add(this.#scratch.subarray(this.#pieceStart, end));
  }

  #add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }
}

/** A serializer for gRPC that copies payloads once, into the frame that goes out. */
export function serializerOf<T>(codec: Encodable<T>): (message: T) => Unassembled {
  return (message) => {
    const writer = new FrameWriter();
    // The generated code calls only what FrameWriter has; a field of another kind fails the test that writes them all.
    codec.encode(message, writer as unknown as BinaryWriter);
    return writer.finish();
  };
}

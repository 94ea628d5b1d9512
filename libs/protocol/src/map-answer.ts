/**
 * Answers of a Map call. The wire has a message for every outcome; the coordinator has many values in one run, and writes
 * them from there, without an object for each.
 */
import { Buffer } from 'node:buffer';
import { ShoalError } from '@shoal/errors';
import { Joined, serializerOf, type Unassembled } from './frame-writer.ts';
import type { ItemFailure } from './gen/shoal/v1/common.ts';
import { MapResponse } from './gen/shoal/v1/job.ts';

/** A `MapResponse` whose outcomes are bytes already, and in `outcomes` there are none. */
export interface MapAnswer extends MapResponse {
  /** Outcomes as {@link FramedValues} and {@link writeFailure} write them, one after another. */
  readonly written: readonly Uint8Array[];
}

const outcomesTag = 0x0a;
const indexTag = 0x08;
const valueTag = 0x12;
const lengthBytes = 4;
const serializeResponse = serializerOf(MapResponse);

/** The serializer of the call's answers: fields of a message may come in any order, and in several pieces. */
export function serializeAnswer(message: MapResponse | MapAnswer): Unassembled {
  const response = serializeResponse(message);
  return 'written' in message ? new Joined(message.written, response) : response;
}

/** The outcome of an item that failed. */
export function writeFailure(index: number, failure: ItemFailure): Uint8Array {
  const outcomes = [{ index, outcome: { $case: 'failure' as const, value: failure } }];
  return MapResponse.encode(MapResponse.create({ outcomes })).finish();
}

/**
 * Whether bytes hold so many values, each as {@link FramedValues} reads it, and nothing else. Takes time by the number of
 * values, at most.
 */
export function isFramed(bytes: Uint8Array, count: number): boolean {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let nth = 0; nth < count; nth++) {
    if (at + lengthBytes > bytes.byteLength) return false;
    at += lengthBytes + words.getUint32(at, true);
  }
  return at === bytes.byteLength;
}

/**
 * The values of one run, as a block holds them in the encodings of other languages (`json`, `bytes`): each a length
 * (unsigned 32 bit, little endian) and that many bytes. They are taken once, in order, from the one that `skip` others come before.
 */
export class FramedValues {
  readonly #bytes: Buffer;
  readonly #count: number;
  #at = 0;
  #taken = 0;

  /** Throws `INTERNAL`, as {@link take} does, where those to be skipped are not there. */
  constructor(bytes: Uint8Array, count: number, skip = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#count = count;
    for (; this.#taken < skip; this.#taken++) this.#at += lengthBytes + this.#lengthAt(this.#at);
  }

  /** How many were taken or skipped. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Writes the outcomes of the next values: one at least, `countMax` at most, and no further one once they are `bytesMax`
   * bytes. The first of them is the value of item `index`. Throws `INTERNAL` where the run does not hold what it should.
   */
  take(index: number, countMax: number, bytesMax: number): Uint8Array {
    const bytes = this.#bytes;
    const most = Math.min(countMax, this.#count - this.#taken);
    let size = 0;
    let count = 0;
    let end = this.#at;
    while (count < most && (count === 0 || size < bytesMax)) {
      const length = this.#lengthAt(end);
      const inner = innerBytes(index + count, length);
      size += 1 + varintBytes(inner) + inner;
      end += lengthBytes + length;
      count += 1;
    }
    const target = Buffer.allocUnsafe(size);
    let to = 0;
    for (let nth = 0; nth < count; nth++) to = this.#write(target, to, index + nth);
    this.#taken += count;
    if (this.#taken === this.#count && this.#at !== bytes.byteLength) throw this.#odd();
    return target;
  }

  /** Writes the outcome of the next value and answers where it ends. */
  #write(target: Buffer, at: number, index: number): number {
    const length = this.#lengthAt(this.#at);
    const from = this.#at + lengthBytes;
    let to = at;
    target[to++] = outcomesTag;
    to = putVarint(target, to, innerBytes(index, length));
    // What is 0 is left out.
    if (index > 0) {
      target[to++] = indexTag;
      to = putVarint(target, to, index);
    }
    target[to++] = valueTag;
    to = putVarint(target, to, length);
    this.#at = from + length;
    this.#bytes.copy(target, to, from, this.#at);
    return to + length;
  }

  #lengthAt(at: number): number {
    const bytes = this.#bytes;
    if (at + lengthBytes > bytes.byteLength) throw this.#odd();
    const length = bytes.readUInt32LE(at);
    if (at + lengthBytes + length > bytes.byteLength) throw this.#odd();
    return length;
  }

  #odd(): ShoalError {
    const reason = `a run of ${this.#count} results has ${this.#bytes.byteLength} odd bytes`;
    return new ShoalError('INTERNAL', { reason });
  }
}

/** Bytes of an outcome with a value of this length. */
function innerBytes(index: number, length: number): number {
  return (index > 0 ? 1 + varintBytes(index) : 0) + 1 + varintBytes(length) + length;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Also beyond 32 bits, where the shift operators would cut it off. */
function putVarint(target: Buffer, at: number, value: number): number {
  let to = at;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[to++] = (rest % 0x80) | 0x80;
  target[to++] = rest;
  return to;
}

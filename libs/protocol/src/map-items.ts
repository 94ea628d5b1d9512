/**
 * Items of a Map call, as they lie in its messages. The generated reader makes an object of each; here each is two numbers
 * until it is copied into a block.
 */
import type { Buffer } from 'node:buffer';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { type MapRequest, MapStart } from './gen/shoal/v1/job.ts';

/** A `MapRequest` whose items were left where they are, and in `items` there are none. */
export interface MapQuestion extends MapRequest {
  readonly received: MapItems;
}

const startTag = 10;
const itemsTag = 18;

/** The items of one message. */
export class MapItems {
  /** Bytes of all of them. */
  readonly byteLength: number;
  readonly #bytes: Buffer;
  /** Where each begins and ends. */
  readonly #spans: readonly number[];

  constructor(bytes: Buffer, spans: readonly number[], byteLength: number) {
    this.byteLength = byteLength;
    this.#bytes = bytes;
    this.#spans = spans;
  }

  get count(): number {
    return this.#spans.length / 2;
  }

  byteLengthOf(nth: number): number {
    return this.#edge(2 * nth + 1) - this.#edge(2 * nth);
  }

  /** Copies one to `at` and answers where it ends there. */
  copy(nth: number, target: Buffer, at: number): number {
    return at + this.#bytes.copy(target, at, this.#edge(2 * nth), this.#edge(2 * nth + 1));
  }

  #edge(at: number): number {
    const edge = this.#spans[at];
    if (edge === undefined) throw new RangeError(`a message of ${this.count} items is asked for another one`);
    return edge;
  }
}

/** Reads a message of the call as the generated reader does, but for its items. Throws where the bytes are none. */
export function readQuestion(bytes: Buffer): MapQuestion {
  const reader = new BinaryReader(bytes);
  const spans: number[] = [];
  let byteLength = 0;
  let start: MapStart | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === itemsTag) {
      const length = reader.uint32();
      const from = reader.pos;
      const until = from + length;
      if (until > reader.len) throw new RangeError('an item ends beyond its message');
      spans.push(from, until);
      byteLength += length;
      reader.pos = until;
    } else if (tag === startTag) start = MapStart.decode(reader, reader.uint32());
    else if ((tag & 7) === 4 || tag === 0) break;
    else reader.skip(tag & 7);
  }
  return { start, items: [], received: new MapItems(bytes, spans, byteLength) };
}

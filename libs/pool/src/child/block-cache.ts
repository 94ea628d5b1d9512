/** Blocks that the pool has sent. Each is decoded when its first item is asked for, and each item handed out once. */
import type { Encoding } from '../chunk-request.ts';
import { decodeBlock } from '../values/block-codec.ts';
import type { BlockMessage } from './message.ts';

const taken: unique symbol = Symbol('taken');

export class CachedBlock {
  readonly first: number;
  readonly end: number;
  readonly #encoding: Encoding;
  readonly #bytes: Uint8Array;
  #values: unknown[] | undefined;
  #left: number;

  constructor({ first, count, encoding }: BlockMessage, bytes: Uint8Array) {
    this.first = first;
    this.end = first + count;
    this.#encoding = encoding;
    this.#bytes = bytes;
    this.#left = count;
  }

  /**
   * Hand out an item. It is not kept: a function may change what it is given, and a second try must not see that.
   * Whoever asks again gets a fresh one.
   */
  take(index: number): unknown {
    const at = index - this.first;
    let values = this.#values ?? this.#decode();
    if (values[at] === taken) values = this.#decode();
    const value = values[at];
    // A hole: the caller could not encode this item, and knows why. The function must not be called for it.
    if (value === undefined && !(at in values)) throw new TypeError(`Item ${index} could not be sent.`);
    values[at] = taken;
    this.#left -= 1;
    if (this.#left === 0) this.#values = undefined;
    return value;
  }

  #decode(): unknown[] {
    const count = this.end - this.first;
    this.#values = decodeBlock(this.#encoding, this.#bytes, count);
    this.#left = count;
    return this.#values;
  }
}

/** The items of one part, over all blocks that hold them. */
export class ItemSource {
  readonly #blocks: readonly CachedBlock[];
  #current: CachedBlock | undefined;

  constructor(blocks: readonly CachedBlock[]) {
    this.#blocks = blocks;
    this.#current = blocks[0];
  }

  take(index: number): unknown {
    let block = this.#current;
    if (block === undefined || index < block.first || index >= block.end) {
      block = this.#blocks.find((candidate) => index >= candidate.first && index < candidate.end);
      if (block === undefined) throw new RangeError(`No block holds item ${index}.`);
      this.#current = block;
    }
    return block.take(index);
  }
}

/** Blocks that the pool has sent. Each is decoded when its first item is asked for, and each item handed out once. */
import type { Encoding } from '../child-pool/chunk-request.ts';
import { decodeBlock, jsonErrorOf } from '../values/block-codec.ts';
import { isPacked, type ValueList } from '../values/number-list.ts';
import type { BlockMessage } from './message.ts';
import { UnreadableItem } from './unreadable-item.ts';

const taken: unique symbol = Symbol('taken');

export class CachedBlock {
  readonly first: number;
  readonly end: number;
  readonly #encoding: Encoding;
  readonly #bytes: Uint8Array;
  /** Numbers, and nothing else. They stay: whoever gets one cannot change it. */
  #numbers: Int32Array | Float64Array | undefined;
  #values: unknown[] | undefined;
  #left: number;

  constructor({ first, count, encoding }: BlockMessage, bytes: Uint8Array) {
    this.first = first;
    this.end = first + count;
    this.#encoding = encoding;
    this.#bytes = bytes;
    this.#left = count;
  }

  /** All its items from the first on, where they are numbers and nothing else; it is item `index` that asks. */
  numbersFor(index: number): Int32Array | Float64Array | undefined {
    if (this.#numbers === undefined && this.#values === undefined && this.#left > 0) this.#decode(index);
    return this.#numbers;
  }

  /**
   * Hand out an item. It is not kept: a function may change what it is given, and a second try must not see that.
   * Whoever asks again gets a fresh one. Throws an {@link UnreadableItem} where its bytes are no value.
   */
  take(index: number): unknown {
    const at = index - this.first;
    return this.#numbers === undefined ? this.#takeValue(at) : this.#numbers[at];
  }

  #takeValue(at: number): unknown {
    const index = this.first + at;
    let values = this.#values ?? this.#decode(index);
    if (values === undefined) return this.#numbers?.[at];
    if (values[at] === taken) values = this.#decode(index) as unknown[];
    const value = values[at];
    // A hole: the function must not be called for it.
    if (value === undefined && !(at in values)) {
      const error = this.#encoding === 'json' ? jsonErrorOf(this.#bytes, at) : undefined;
      throw UnreadableItem.alone(index, this.#encoding, error);
    }
    values[at] = taken;
    this.#left -= 1;
    if (this.#left === 0) this.#values = undefined;
    return value;
  }

  get #count(): number {
    return this.end - this.first;
  }

  /** The values; undefined where they are numbers. */
  #decode(index: number): unknown[] | undefined {
    const count = this.#count;
    let values: ValueList;
    try {
      values = decodeBlock(this.#encoding, this.#bytes, count);
    } catch (error) {
      throw UnreadableItem.withBlock(index, count, error);
    }
    if (isPacked(values)) {
      this.#numbers = values;
      return undefined;
    }
    this.#values = values as unknown[];
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
    return this.blockOf(index).take(index);
  }

  /** The block that holds an item, and those after it up to its end. */
  blockOf(index: number): CachedBlock {
    let block = this.#current;
    if (block === undefined || index < block.first || index >= block.end) {
      block = this.#holderOf(index);
      if (block === undefined) throw new RangeError(`No block holds item ${index}.`);
      this.#current = block;
    }
    return block;
  }

  /** By hand: a task may have replaced what arrays can do. */
  #holderOf(index: number): CachedBlock | undefined {
    for (let at = 0; at < this.#blocks.length; at++) {
      const block = this.#blocks[at] as CachedBlock;
      if (index >= block.first && index < block.end) return block;
    }
    return undefined;
  }
}

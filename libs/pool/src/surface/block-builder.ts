import { bytesText } from '@shoal/errors';
import type { BlobFile, Block } from '../child-pool/chunk-request.ts';
import type { FailedOutcome, JobRequest } from '../job-backend.ts';
import { encodeBlock, encodeNumbers, encodeRecords, encodeValue } from '../values/block-codec.ts';
import { packedMin, packIntegers } from '../values/number-list.ts';
import { explainUnportable, findUnportable } from '../values/portable.ts';
import { findNoArgumentList, noArgumentListFacts } from './argument-lists.ts';

/** What an item that cannot be sent fails with. */
export type Refusal = Pick<FailedOutcome, 'code' | 'facts'>;

/** What a {@link BlockBuilder} is made for. */
export interface BlockBuilderOptions {
  readonly chunkSize: JobRequest['chunkSize'];
  /** Items of one block, about: what one process would take of an input whose length is known. Infinity where it is not. */
  readonly itemsMax: number;
  /** Items that one process runs at once: what comes first occupies one, which would wait for the others. Default: 1. */
  readonly concurrentTasks?: number | undefined;
  /** Each item is a list of arguments. Default: false. */
  readonly spread?: boolean | undefined;
  /** Bytes of one item, at most. */
  readonly itemBytesMax: number;
  /** Where finished blocks go. */
  readonly emit: (block: Block) => void;
  /** An item that cannot be sent. Its index is taken all the same: its block has a hole there. */
  readonly refuse: (index: number, refusal: Refusal) => void;
}

// A block of this size costs little for each item and little to encode again; the wire is fastest at 64 to 256 KiB.
const targetBytes = 65_536;
const blockBytesMax = 262_144;
// Chunks of a numeric size that are smaller than this share a block; each child decodes the whole block.
const sharedBytes = 4_096;
// What a number is taken for.
const numberBytes = 5;
// Processes share a block that is smaller than this: decoding all of it costs each of them less than one more message.
const worthwhileBytes = 32_768;

/**
 * Gathers items into blocks and encodes them: one call of the encoder for many items is 7 times cheaper than one each.
 *
 * Blocks of an input that may be slow grow from one item, so that the first children have work at once, to
 * {@link targetBytes}; where all items are there, they begin with what one process would take. With a numeric chunk size
 * they hold whole chunks, as far as their bytes allow.
 */
export class BlockBuilder {
  readonly #options: BlockBuilderOptions;
  #values: unknown[] = [];
  #roughBytes = 0;
  #first = 0;
  #goal: number;
  /** Until it is known what items weigh, no block is larger than it will be then. */
  #roughBytesMax = targetBytes;
  /** Lists have had nothing but integers so far. */
  #onlyIntegers: boolean;
  /** Lists have had nothing but records of one shape so far. */
  #onlyRecords: boolean;

  constructor(options: BlockBuilderOptions) {
    this.#options = options;
    const { chunkSize, itemsMax, concurrentTasks = 1, spread = false } = options;
    // Neither numbers nor records are lists of arguments.
    this.#onlyIntegers = !spread;
    this.#onlyRecords = !spread;
    if (chunkSize === 'auto')
      this.#goal = Math.max(Number.isFinite(itemsMax) ? itemsMax : 1, concurrentTasks);
    else this.#goal = chunkSize * Math.ceil(concurrentTasks / chunkSize);
  }

  /** Items taken in, over all blocks. */
  get count(): number {
    return this.#first + this.#values.length;
  }

  /** Items taken in that no block has been made of. */
  get pending(): number {
    return this.#values.length;
  }

  /** Takes an item in; emits a block when it is full. */
  add(value: unknown): void {
    this.#values.push(value);
    this.#roughBytes += typeof value === 'number' ? numberBytes : roughBytes(value);
    if (this.#values.length >= this.#goal || this.#roughBytes >= this.#roughBytesMax) this.flush();
  }

  /**
   * Takes in elements of a list: those from `from` to before `until`, or as many as there is room for in the block; says
   * where it stopped. Throws what reading the list throws, and has taken nothing then.
   */
  addFrom(list: readonly unknown[], from: number, until: number): number {
    const integers = this.#addIntegers(list, from, until);
    if (integers > 0) return from + integers;
    const values = list.slice(from, Math.min(until, from + this.#goal - this.#values.length));
    const count = this.#measure(values);
    if (count < values.length) values.length = count;
    this.#values = this.#values.length === 0 ? values : this.#values.concat(values);
    if (this.#values.length >= this.#goal || this.#roughBytes >= this.#roughBytesMax) this.flush();
    return from + count;
  }

  /**
   * Makes a block of them where they are many integers, and nothing but a block: they are read once, and copied once. Says
   * how many were taken in.
   */
  #addIntegers(list: readonly unknown[], from: number, until: number): number {
    if (!this.#onlyIntegers || this.#values.length > 0) return 0;
    const count = Math.min(until - from, this.#goal, Math.ceil(this.#roughBytesMax / numberBytes));
    if (count < packedMin) return 0;
    const integers = packIntegers(list, from, from + count);
    if (integers.length === count) {
      this.#emit(count, encodeValue(integers));
      return count;
    }
    this.#onlyIntegers = false;
    this.#values = Array.from(integers);
    this.#roughBytes = numberBytes * integers.length;
    return integers.length;
  }

  /** Adds up what these values take, until the block is full; says how many they are. */
  #measure(values: unknown[]): number {
    let bytes = this.#roughBytes;
    let at = 0;
    while (at < values.length && bytes < this.#roughBytesMax) {
      const value = values[at];
      // A hole of the list is an item like others; a hole in a block is an item that was refused.
      if (value === undefined) values[at] = undefined;
      bytes += typeof value === 'number' ? numberBytes : roughBytes(value);
      at += 1;
    }
    this.#roughBytes = bytes;
    return at;
  }

  /** Emits what there is, full or not. */
  flush(): void {
    if (this.#values.length === 0) return;
    const values = this.#values;
    this.#values = [];
    this.#roughBytes = 0;
    if (this.#options.spread === true) this.#refuseNoLists(values);
    const numbers = encodeNumbers(values);
    if (numbers !== undefined) {
      this.#emit(values.length, numbers);
      return;
    }
    if (this.#emitRecords(values)) return;
    if (findUnportable(values) !== undefined) this.#refuseUnportable(values);
    this.#encode(values);
  }

  /** Whether they could be emitted by column. */
  #emitRecords(values: unknown[]): boolean {
    if (!this.#onlyRecords) return false;
    const bytes = encodeRecords(values);
    if (bytes === undefined) {
      this.#onlyRecords = values.length < packedMin;
      return false;
    }
    if (bytes.byteLength > this.#blockBytesMax) return false;
    this.#emit(values.length, bytes);
    return true;
  }

  /** A block that is no larger than an item may be holds none that is larger. */
  get #blockBytesMax(): number {
    return Math.min(4 * blockBytesMax, this.#options.itemBytesMax);
  }

  #encode(values: unknown[]): void {
    const first = this.#first;
    let bytes: Uint8Array;
    const refersTo = new Map<string, BlobFile>();
    try {
      bytes = encodeBlock('v8', values, refersTo);
    } catch (error) {
      // Something that only the encoder sees: a Proxy, a getter that throws, too many bytes for one buffer.
      if (values.length > 1) {
        this.#encodeHalves(values);
        return;
      }
      this.#refuse(values, 0, {
        code: 'VALUE_NOT_PORTABLE',
        facts: unportableFacts(first, explained(values[0], error)),
      });
      this.#encode(values);
      return;
    }
    const { itemBytesMax } = this.#options;
    if (values.length > 1 && bytes.byteLength > this.#blockBytesMax) {
      this.#encodeHalves(values);
      return;
    }
    if (values.length === 1 && bytes.byteLength > itemBytesMax) {
      const facts = {
        size: bytesText(bytes.byteLength),
        limit: bytesText(itemBytesMax),
        option: 'maxItemBytes',
      };
      this.#refuse(values, 0, { code: 'ITEM_TOO_LARGE', facts });
      this.#encode(values);
      return;
    }
    this.#emit(values.length, bytes, refersTo.size === 0 ? undefined : [...refersTo.values()]);
  }

  #emit(count: number, bytes: Uint8Array, broadcasts?: readonly BlobFile[]): void {
    const first = this.#first;
    this.#first += count;
    this.#grow(count, bytes.byteLength);
    this.#options.emit({ first, count, bytes, ...(broadcasts === undefined ? {} : { broadcasts }) });
  }

  #encodeHalves(values: unknown[]): void {
    const half = values.length >> 1;
    this.#encode(values.slice(0, half));
    this.#encode(values.slice(half));
  }

  #grow(count: number, bytes: number): void {
    const { chunkSize, itemBytesMax, itemsMax } = this.#options;
    const perItem = Math.max(1, bytes / count);
    this.#roughBytesMax = blockBytesMax;
    const doubled = Math.max(this.#goal, count) * 2;
    if (chunkSize === 'auto') {
      const within = Math.floor(Math.min(targetBytes, itemBytesMax) / perItem);
      // Where all items are there, the first block has shown what they weigh: there is nothing to wait for.
      const most = Number.isFinite(itemsMax)
        ? Math.max(itemsMax, Math.floor(worthwhileBytes / perItem))
        : doubled;
      this.#goal = Math.max(1, Math.min(within, most));
    } else {
      const chunks = Math.floor(Math.min(doubled, sharedBytes / perItem) / chunkSize);
      this.#goal = chunkSize * Math.max(1, chunks);
    }
  }

  #refuseUnportable(values: unknown[]): void {
    for (let at = 0; at < values.length; at++) {
      const culprit = findUnportable(values[at]);
      if (culprit !== undefined) {
        this.#refuse(values, at, {
          code: 'VALUE_NOT_PORTABLE',
          facts: unportableFacts(this.#first + at, culprit),
        });
      }
    }
  }

  #refuseNoLists(values: unknown[]): void {
    for (let at = findNoArgumentList(values); at !== undefined; at = findNoArgumentList(values, at + 1)) {
      this.#refuse(values, at, { code: 'ARGUMENTS_NOT_LIST', facts: noArgumentListFacts(values[at]) });
    }
  }

  #refuse(values: unknown[], at: number, refusal: Refusal): void {
    delete values[at];
    this.#options.refuse(this.#first + at, refusal);
  }
}

interface Culprit {
  readonly path: string;
  readonly kind: string;
}

const explained = (value: unknown, error: unknown): Culprit => explainUnportable(value, 'v8', error);

const unportableFacts = (index: number, { path, kind }: Culprit): Refusal['facts'] => ({
  what: `Item ${index}`,
  path,
  kind,
});

/** About how many bytes a value takes: a look at its surface, to keep blocks from growing far beyond their size. */
function roughBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 4;
  if (typeof value !== 'object' || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength + 16;
  try {
    return fieldBytes(value);
  } catch {
    // A getter or a Proxy that throws: the encoder meets it too, and says what is wrong with this item.
    return 16;
  }
}

function fieldBytes(value: object): number {
  let bytes = 16;
  let fields = 0;
  for (const key in value) {
    const field: unknown = (value as Readonly<Record<string, unknown>>)[key];
    if (typeof field === 'string') bytes += field.length;
    else if (ArrayBuffer.isView(field)) bytes += field.byteLength;
    bytes += 8;
    // Long arrays and wide objects are judged by their beginning.
    if (++fields === 64) {
      if (Array.isArray(value)) bytes = Math.round((bytes * value.length) / 64);
      break;
    }
  }
  return bytes;
}

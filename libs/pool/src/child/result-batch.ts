/**
 * Results on their way out. They leave in batches, for structured clone costs seven times as much item by item; a
 * batch goes when it is about 128 KiB, or half as old as its job has run here (patience.ts).
 */
import type { Encoding } from '../child-pool/chunk-request.ts';
import { encodeBlock, encodeNumbers, encodeRecords, encodeValue } from '../values/block-codec.ts';
import { packedMin } from '../values/number-list.ts';
import { explainUnportable, findUnportable, type Unportable } from '../values/portable.ts';
import type { Channel } from './channel.ts';
import type { NumberRun } from './number-run.ts';

/** Where a batch's failures go. */
export type ItemRefused = (
  index: number,
  code: 'VALUE_NOT_PORTABLE' | 'RESULT_TOO_LARGE',
  message: string,
  facts: Readonly<Record<string, string | number>>,
) => void;

export interface ResultFormat {
  readonly chunk: number;
  readonly encoding: Encoding;
  readonly maxResultBytes: number;
  /** Shared by all batches of the child. */
  readonly numbers: NumberRun;
  readonly onRefused: ItemRefused;
  /** Called before results leave: what their items printed has to be there first, for the last one ends the job. */
  readonly beforeSend: () => void;
}

const batchBytesMax = 128 * 1024;
/** What a number is taken for. */
const numberBytes = 5;
/** So many numbers are a full batch. */
export const numbersMax: number = Math.floor(batchBytesMax / numberBytes);
const messageBytesMax = 256 * 1024;
/** What an object is taken for until the first batch has shown how big they are. */
const objectBytesGuess = 64;

// Taken before any task runs, and methods that could be replaced avoided: between the return of a function and the leaving
// of its result nothing may depend on what that function has left of the built-in objects.
const { isView } = ArrayBuffer;
const { min } = Math;
const { isFinite: isFiniteNumber } = Number;

export class ResultBatch {
  readonly #channel: Channel;
  readonly #format: ResultFormat;
  #values: unknown[] = [];
  #first = 0;
  #estimate = 0;
  #objectBytes = objectBytesGuess;
  /** Time in the function for what is in the batch. */
  runMs = 0;
  /** Since when what is in the batch was gathered. */
  openedAtMs = 0;

  constructor(channel: Channel, format: ResultFormat) {
    this.#channel = channel;
    this.#format = format;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#estimate >= batchBytesMax || this.#format.numbers.countOf(this) >= numbersMax;
  }

  get #count(): number {
    return this.#values.length + this.#format.numbers.countOf(this);
  }

  add(index: number, value: unknown): void {
    this.goOnAt(index);
    this.push(value);
  }

  /** The values that are pushed from here on are those of this item and the ones after it. */
  goOnAt(index: number): void {
    // Items that ran side by side finish in any order; a run is of consecutive ones.
    const count = this.#count;
    if (count > 0 && this.#first + count !== index) this.flush();
    if (this.isEmpty) this.#first = index;
  }

  push(value: unknown): void {
    if (this.#values.length === 0 && !this.isEmpty) this.#mixNumbers();
    // Not push(), which a task can replace: its neighbours would be blamed for that.
    this.#values[this.#values.length] = value;
    this.#estimate += typeof value === 'number' ? numberBytes : this.#sizeOf(value);
  }

  /** Where numbers go that follow what is here; undefined where something else is here already. */
  borrowNumbers(): NumberRun | undefined {
    const { encoding, numbers } = this.#format;
    return encoding === 'v8' && this.#values.length === 0 && numbers.lendTo(this) ? numbers : undefined;
  }

  /** Something else comes after the numbers. */
  #mixNumbers(): void {
    this.#values = listOf(this.#format.numbers.take());
    this.#estimate = numberBytes * this.#values.length;
  }

  #sizeOf(value: unknown): number {
    if (typeof value === 'string') return value.length + 4;
    if (typeof value !== 'object' || value === null) return 8;
    return isView(value) ? value.byteLength + 8 : this.#objectBytes;
  }

  /** Send what is there. */
  flush(): void {
    if (this.isEmpty) return;
    const { beforeSend, numbers } = this.#format;
    const values = this.#values;
    const first = this.#first;
    const runMs = this.runMs;
    this.#values = [];
    this.#estimate = 0;
    this.runMs = 0;
    beforeSend();
    if (values.length === 0) this.#sendNumbers(first, numbers.take(), runMs);
    else this.#sendPortable(first, values, runMs);
  }

  #sendNumbers(first: number, numbers: Int32Array | Float64Array, runMs: number): void {
    const bytes = numbers.length < packedMin ? undefined : encodeValue(numbers);
    if (bytes === undefined || bytes.byteLength > this.#messageBytesMax) {
      this.#send(first, listOf(numbers), runMs);
      return;
    }
    this.#channel.send(this.#channel.writer.values(this.#format.chunk, first, numbers.length, runMs, bytes));
  }

  /** Above this a message is split: it is the biggest that travels well over a network. */
  get #messageBytesMax(): number {
    return min(messageBytesMax, this.#format.maxResultBytes);
  }

  /** Send the values between those that cannot travel. */
  #sendPortable(first: number, values: unknown[], runMs: number): void {
    const { encoding } = this.#format;
    const packed = encoding === 'v8' ? (encodeNumbers(values) ?? encodeRecords(values)) : undefined;
    if (packed !== undefined) {
      this.#sendBytes(first, values, runMs, packed);
      return;
    }
    let from = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (encoding !== 'bytes' && isCarried(value, encoding)) continue;
      const found = findUnportable(value, encoding);
      if (found === undefined) continue;
      this.#send(first + from, part(values, from, i), runMs);
      this.#refuse(first + i, found);
      from = i + 1;
    }
    this.#send(first + from, from === 0 ? values : part(values, from, values.length), runMs);
  }

  #send(first: number, values: unknown[], runMs: number): void {
    if (values.length === 0) return;
    const { encoding } = this.#format;
    let bytes: Uint8Array;
    try {
      bytes = encodeBlock(encoding, values, undefined, this.#channel.roomFor);
    } catch (error) {
      const only = values[0];
      if (values.length === 1) this.#refuse(first, explainUnportable(only, encoding, error));
      else this.#sendHalves(first, values, runMs);
      return;
    }
    this.#sendBytes(first, values, runMs, bytes);
  }

  #sendBytes(first: number, values: unknown[], runMs: number, bytes: Uint8Array): void {
    const { chunk, maxResultBytes } = this.#format;
    if (values.length === 1 && bytes.byteLength > maxResultBytes) {
      this.#refuseSize(first, bytes.byteLength);
      return;
    }
    if (values.length > 1) {
      this.#objectBytes = bytes.byteLength / values.length;
      if (bytes.byteLength > this.#messageBytesMax) {
        this.#sendHalves(first, values, runMs);
        return;
      }
    }
    this.#channel.send(this.#channel.writer.values(chunk, first, values.length, runMs, bytes));
  }

  #sendHalves(first: number, values: unknown[], runMs: number): void {
    const half = values.length >> 1;
    this.#send(first, part(values, 0, half), runMs / 2);
    this.#send(first + half, part(values, half, values.length), runMs / 2);
  }

  #refuse(index: number, { path, kind }: Unportable): void {
    const what = `Result of item ${index}`;
    const message = `${what} cannot be sent: ${path} is ${kind}. Send plain data.`;
    this.#format.onRefused(index, 'VALUE_NOT_PORTABLE', message, { what, path, kind });
  }

  #refuseSize(index: number, bytes: number): void {
    const limitBytes = this.#format.maxResultBytes;
    const [size, limit] = [inWords(bytes), inWords(limitBytes)];
    const message = `Result of item ${index} is ${size}; the limit is ${limit} (maxResultBytes).`;
    const facts = { size, limit, option: 'maxResultBytes', sizeBytes: bytes, limitBytes };
    this.#format.onRefused(index, 'RESULT_TOO_LARGE', message, facts);
  }
}

/** Whether there is nothing to look for: JSON would say null for NaN. */
function isCarried(value: unknown, encoding: Encoding): boolean {
  return typeof value === 'number' ? encoding === 'v8' || isFiniteNumber(value) : typeof value === 'string';
}

function inWords(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size) return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
  }
  return `${bytes} bytes`;
}

/** The elements of a list from `from` to before `until`, as an array. */
function part(list: ArrayLike<unknown>, from: number, until: number): unknown[] {
  const elements: unknown[] = [];
  for (let at = from; at < until; at++) elements[at - from] = list[at];
  return elements;
}

const listOf = (numbers: Int32Array | Float64Array): unknown[] => part(numbers, 0, numbers.length);

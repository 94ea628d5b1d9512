/**
 * What pool and child say to each other on the private descriptor: frames of
 *
 *   length of the body (u32) | type (u8) | nonce (8 bytes) | body          little endian
 *
 * The nonce is drawn for each child and told to it in its first frame, so that bytes which a task writes to the
 * descriptor by accident or on purpose are no frame. Whoever reads one that is too long or has another nonce throws.
 */
import { Buffer } from 'node:buffer';
import type { PartEndedMessage, RunMessage } from './child/message.ts';

// Taken at start: in a child, tasks may replace them. Numbers are written and read by hand for the same reason.
const { parse, stringify } = JSON;
const { allocUnsafe, concat, from } = Buffer;
const { call } = Function.prototype;
const copyInto: (source: Buffer, target: Buffer, at: number) => number = call.bind(
  Buffer.prototype.copy,
) as never;
const viewOf: (bytes: Buffer, start: number, end?: number) => Buffer = call.bind(
  Buffer.prototype.subarray,
) as never;
const textOf: (bytes: Buffer, encoding: 'utf8', start: number, end: number) => string = call.bind(
  Buffer.prototype.toString,
) as never;

/** Frame types. Even numbers go to the child, odd ones come from it. */
export const frameType = {
  setup: 2,
  task: 4,
  block: 6,
  forget: 8,
  run: 10,
  abort: 12,
  stop: 14,
  retire: 16,
  notebook: 18,
  started: 1,
  ready: 3,
  initializerThrew: 5,
  taskUnloadable: 7,
  partBegan: 9,
  itemStarted: 11,
  values: 13,
  itemFailed: 15,
  partEnded: 17,
  print: 19,
  exiting: 21,
  bye: 23,
} as const;

export type FrameType = (typeof frameType)[keyof typeof frameType];

export const nonceBytes = 8;
const headerBytes: number = 4 + 1 + nonceBytes;

/** What the other side sent is no frame of ours. */
export class FrameError extends Error {
  override readonly name: string = 'FrameError';
}

/** Writes frames with one nonce. */
export class FrameWriter {
  readonly #nonce: Uint8Array;

  constructor(nonce: Uint8Array) {
    this.#nonce = nonce;
  }

  /** A frame that says something as JSON, with bytes after it. The bytes are not copied: they are a part of their own. */
  message(type: FrameType, message: unknown, bytes?: Uint8Array): Uint8Array[] {
    const text = from(stringify(message), 'utf8');
    const bodyBytes = 4 + text.length + (bytes?.byteLength ?? 0);
    const head = this.#head(type, 4 + text.length, bodyBytes);
    putUint32(head, text.length, headerBytes);
    copyInto(text, head, headerBytes + 4);
    return bytes === undefined || bytes.byteLength === 0 ? [head] : [head, bytes];
  }

  /** The start of one item; written for every item of a part that marks its starts. */
  itemStarted(chunk: number, index: number): Uint8Array {
    const head = this.#head(frameType.itemStarted, 16, 16);
    putDouble(head, chunk, headerBytes);
    putDouble(head, index, headerBytes + 8);
    return head;
  }

  /** An order to run consecutive items. */
  run({
    blocks,
    chunk,
    concurrentTasks,
    count,
    first,
    marksStarts,
    task,
    tryNumber,
  }: RunMessage): Uint8Array {
    const bodyBytes = runHeadBytes + 8 * blocks.length;
    const frame = this.#head(frameType.run, bodyBytes, bodyBytes);
    putDouble(frame, chunk, headerBytes);
    putDouble(frame, first, headerBytes + 8);
    putUint32(frame, count, headerBytes + 16);
    putUint32(frame, task, headerBytes + 20);
    putUint32(frame, concurrentTasks, headerBytes + 24);
    putUint32(frame, tryNumber, headerBytes + 28);
    frame[headerBytes + 32] = marksStarts ? 1 : 0;
    let at = headerBytes + runHeadBytes;
    for (let i = 0; i < blocks.length; i++) {
      putDouble(frame, blocks[i] as number, at);
      at += 8;
    }
    return frame;
  }

  /** The first item of a part starts next. */
  partBegan(chunk: number): Uint8Array {
    const frame = this.#head(frameType.partBegan, 8, 8);
    putDouble(frame, chunk, headerBytes);
    return frame;
  }

  /** A part is over. */
  partEnded({ chunk, isSpent, next, rssBytes }: PartEndedMessage): Uint8Array {
    const frame = this.#head(frameType.partEnded, partEndedBytes, partEndedBytes);
    putDouble(frame, chunk, headerBytes);
    putDouble(frame, next, headerBytes + 8);
    putDouble(frame, rssBytes, headerBytes + 16);
    frame[headerBytes + 24] = isSpent ? 1 : 0;
    return frame;
  }

  /** Values of consecutive items. */
  values(chunk: number, first: number, count: number, runMs: number, payload: Uint8Array): Uint8Array[] {
    const head = this.#head(frameType.values, valuesHeadBytes, valuesHeadBytes + payload.byteLength);
    putDouble(head, chunk, headerBytes);
    putDouble(head, first, headerBytes + 8);
    putUint32(head, count, headerBytes + 16);
    putDouble(head, runMs, headerBytes + 20);
    return [head, payload];
  }

  #head(type: FrameType, extraBytes: number, bodyBytes: number): Buffer {
    const head = allocUnsafe(headerBytes + extraBytes);
    putUint32(head, bodyBytes, 0);
    head[4] = type;
    for (let at = 0; at < nonceBytes; at++) head[5 + at] = this.#nonce[at] as number;
    return head;
  }
}

const valuesHeadBytes = 28;
const runHeadBytes = 33;
const partEndedBytes = 25;

/** Read the body of {@link FrameWriter.message}: what it says, and the bytes after it. */
export function readMessage(body: Buffer): { readonly message: unknown; readonly bytes: Buffer } {
  if (body.length < 4) throw new FrameError('A message without a length.');
  const textBytes = getUint32(body, 0);
  if (4 + textBytes > body.length) throw new FrameError('A message is longer than its frame.');
  try {
    const message: unknown = parse(textOf(body, 'utf8', 4, 4 + textBytes));
    return { message, bytes: viewOf(body, 4 + textBytes) };
  } catch (error) {
    throw new FrameError('A message is no JSON.', { cause: error });
  }
}

/** Read the body of {@link FrameWriter.itemStarted}. */
export function readItemStarted(body: Buffer): { readonly chunk: number; readonly index: number } {
  if (body.length !== 16) throw new FrameError('A start mark of a wrong length.');
  return { chunk: getDouble(body, 0), index: getDouble(body, 8) };
}

/** Read the body of {@link FrameWriter.run}. It comes from our own pool. */
export function readRun(body: Buffer): RunMessage {
  const blocks: number[] = [];
  for (let at = runHeadBytes; at < body.length; at += 8) blocks[blocks.length] = getDouble(body, at);
  return {
    chunk: getDouble(body, 0),
    first: getDouble(body, 8),
    count: getUint32(body, 16),
    task: getUint32(body, 20),
    concurrentTasks: getUint32(body, 24),
    tryNumber: getUint32(body, 28),
    marksStarts: (body[32] as number) === 1,
    blocks,
  };
}

/** Read the body of {@link FrameWriter.partBegan}. */
export function readPartBegan(body: Buffer): { readonly chunk: number } {
  if (body.length !== 8) throw new FrameError('A part begins with a wrong length.');
  return { chunk: getDouble(body, 0) };
}

/** Read the body of {@link FrameWriter.partEnded}. */
export function readPartEnded(body: Buffer): PartEndedMessage {
  if (body.length !== partEndedBytes) throw new FrameError('A part ends with a wrong length.');
  const message = {
    chunk: getDouble(body, 0),
    next: getDouble(body, 8),
    rssBytes: getDouble(body, 16),
    isSpent: (body[24] as number) === 1,
  };
  if (!Number.isSafeInteger(message.next)) throw new FrameError('A part ends at no item.');
  if (!(message.rssBytes >= 0)) throw new FrameError('rssBytes is no amount.');
  return message;
}

/** Read the body of {@link FrameWriter.values}. */
export function readValues(body: Buffer): {
  readonly chunk: number;
  readonly first: number;
  readonly count: number;
  readonly runMs: number;
  readonly payload: Buffer;
} {
  if (body.length < valuesHeadBytes) throw new FrameError('Values without a head.');
  return {
    chunk: getDouble(body, 0),
    first: getDouble(body, 8),
    count: getUint32(body, 16),
    runMs: getDouble(body, 20),
    payload: viewOf(body, valuesHeadBytes),
  };
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  /** Bodies may be this long, at most. */
  bodyBytesMax: number;
  readonly #onFrame: (type: number, body: Buffer) => void;
  #nonce: Buffer | undefined;
  #rest: Buffer = Buffer.alloc(0);
  /** A frame that is longer than what has come: its memory, and how much of it is there. */
  #open: { readonly type: number; readonly body: Buffer; filled: number } | undefined;

  /** Without a nonce, the first frame's is taken as the true one. */
  constructor(
    onFrame: (type: number, body: Buffer) => void,
    options: { readonly nonce?: Uint8Array; readonly bodyBytesMax: number },
  ) {
    this.#onFrame = onFrame;
    this.#nonce = options.nonce === undefined ? undefined : Buffer.from(options.nonce);
    this.bodyBytesMax = options.bodyBytesMax;
  }

  get nonce(): Uint8Array | undefined {
    return this.#nonce;
  }

  /**
   * Take what has come. Bodies are views of `chunk` where they can be, and copies where its memory is for what comes next, too.
   * Throws a {@link FrameError}.
   */
  push(chunk: Buffer, isMemoryReused: boolean = false): void {
    let bytes = this.#rest.length === 0 ? chunk : concat([this.#rest, chunk]);
    this.#rest = noBytes;
    while (bytes.length > 0) {
      if (this.#open !== undefined) {
        bytes = this.#fill(this.#open, bytes);
        continue;
      }
      if (bytes.length < headerBytes) {
        this.#rest = isMemoryReused ? from(bytes) : bytes;
        return;
      }
      const { type, length } = this.#readHeader(bytes);
      bytes = viewOf(bytes, headerBytes);
      if (length <= bytes.length && !isMemoryReused) {
        const body = viewOf(bytes, 0, length);
        bytes = viewOf(bytes, length);
        this.#onFrame(type, body);
      } else {
        this.#open = { type, body: allocUnsafe(length), filled: 0 };
        // A frame that has no body ends with its head.
        if (length === 0) bytes = this.#fill(this.#open, bytes);
      }
    }
  }

  #fill(open: { readonly type: number; readonly body: Buffer; filled: number }, bytes: Buffer): Buffer {
    const taken = copyInto(bytes, open.body, open.filled);
    open.filled += taken;
    if (open.filled === open.body.length) {
      this.#open = undefined;
      this.#onFrame(open.type, open.body);
    }
    return viewOf(bytes, taken);
  }

  #readHeader(bytes: Buffer): { type: number; length: number } {
    this.#nonce ??= from(viewOf(bytes, 5, headerBytes));
    for (let at = 0; at < nonceBytes; at++) {
      if (this.#nonce[at] !== bytes[5 + at]) throw new FrameError('A frame with a foreign nonce.');
    }
    const length = getUint32(bytes, 0);
    if (length > this.bodyBytesMax) {
      throw new FrameError(`A frame of ${length} bytes; the limit is ${this.bodyBytesMax}.`);
    }
    return { type: bytes[4] as number, length };
  }
}

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

function putDouble(into: Uint8Array, value: number, at: number): void {
  double[0] = value;
  for (let i = 0; i < 8; i++) into[at + i] = doubleBytes[i] as number;
}

function getDouble(from: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) doubleBytes[i] = from[at + i] as number;
  return double[0] as number;
}

function putUint32(into: Uint8Array, value: number, at: number): void {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
}

function getUint32(from: Uint8Array, at: number): number {
  const low = (from[at] as number) | ((from[at + 1] as number) << 8) | ((from[at + 2] as number) << 16);
  return (low | ((from[at + 3] as number) << 24)) >>> 0;
}

const noBytes: Buffer = Buffer.alloc(0);

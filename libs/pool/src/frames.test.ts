import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readExiting, readItemFailed, readPrint, readTaskUnloadable } from './child-pool/received-message.ts';
import {
  FrameError,
  FrameReader,
  FrameWriter,
  frameType,
  readItemStarted,
  readMessage,
  readPartBegan,
  readPartEnded,
  readRun,
  readValues,
} from './frames.ts';

const nonce = Buffer.from('12345678');
const other = Buffer.from('87654321');
const writer = new FrameWriter(nonce);

function readAll(
  chunks: readonly Uint8Array[],
  bodyBytesMax: number = 1_000_000,
): { type: number; body: Buffer }[] {
  const frames: { type: number; body: Buffer }[] = [];
  const reader = new FrameReader((type, body) => frames.push({ type, body: Buffer.from(body) }), {
    nonce,
    bodyBytesMax,
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return frames;
}

test('frames come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.jsonValue(), fc.uint8Array({ maxLength: 300 })), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(
          messages.flatMap(([message, tail]) => writer.message(frameType.print, message, tail)),
        );
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = cuts[i % cuts.length] as number;
          chunks.push(bytes.subarray(at, at + length));
          at += length;
        }
        const read = readAll(chunks).map(({ body }) => readMessage(body));
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
        expect(read.map(({ message }) => message)).toEqual(messages.map(([message]) => plain(message)));
        expect(read.map(({ bytes }) => [...bytes])).toEqual(messages.map(([, tail]) => [...tail]));
      },
    ),
  );
});

test('what was read stays as it was when its memory is used again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }),
      (tails, cuts) => {
        const bodies: Buffer[] = [];
        const reader = new FrameReader((_, body) => bodies.push(body), { nonce, bodyBytesMax: 1_000 });
        const empty = writer.message(frameType.print, '').map((part) => part.subarray(0, 13));
        const frames = tails.flatMap((tail) => writer.message(frameType.print, {}, tail));
        const bytes = Buffer.concat([...frames, ...empty]);
        bytes.writeUInt32LE(0, bytes.length - 13);
        const memory = Buffer.alloc(100);
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const taken = bytes.copy(memory, 0, at, at + (cuts[i % cuts.length] as number));
          reader.push(memory.subarray(0, taken), true);
          memory.fill(0xee);
          at += taken;
        }
        expect(bodies.pop()).toHaveLength(0);
        expect(bodies.map((body) => [...readMessage(body).bytes])).toEqual(tails.map((tail) => [...tail]));
      },
    ),
    { numRuns: 50 },
  );
});

test('start marks and values keep their numbers', () => {
  const payload = Buffer.from('payload');
  const [mark, values] = readAll([
    writer.itemStarted(2 ** 40, 2 ** 50),
    ...writer.values(7, 2 ** 45, 3, 1.5, payload),
  ]);
  expect(readItemStarted(mark?.body as Buffer)).toEqual({ chunk: 2 ** 40, index: 2 ** 50 });
  expect(readValues(values?.body as Buffer)).toEqual({
    chunk: 7,
    first: 2 ** 45,
    count: 3,
    runMs: 1.5,
    payload,
  });
});

test('an order to run items, and what is said of a part, keep their numbers', () => {
  const order = {
    chunk: 2 ** 40,
    task: 2 ** 31,
    first: 2 ** 45,
    count: 3,
    blocks: [2 ** 33, 7],
    marksStarts: true,
    concurrentTasks: 25,
    tryNumber: 2,
  };
  const end = { chunk: 2 ** 40, next: 2 ** 45 + 3, isSpent: true, rssBytes: 2 ** 36 };
  const bodies = readAll([writer.run(order), writer.partBegan(2 ** 40), writer.partEnded(end)]);
  const [run, began, ended] = bodies.map(({ body }) => body) as [Buffer, Buffer, Buffer];
  expect(readRun(run)).toEqual(order);
  expect(readPartBegan(began)).toEqual({ chunk: 2 ** 40 });
  expect(readPartEnded(ended)).toEqual(end);
});

test('a frame with another nonce is none', () => {
  const forged = new FrameWriter(other).itemStarted(1, 1);
  expect(() => readAll([writer.itemStarted(1, 0), forged])).toThrow(FrameError);
});

test('a frame that is too long is refused before anything of it is kept', () => {
  const [head] = writer.message(frameType.print, {}, Buffer.alloc(2_000)) as [Buffer];
  expect(() => readAll([head], 1_000)).toThrow('the limit is 1000');
});

test('whatever a child sends is a message or a FrameError, never anything else', () => {
  const texts = [readExiting, readItemFailed, readPrint, readTaskUnloadable];
  const readers = [...texts, readItemStarted, readPartBegan, readPartEnded, readValues];
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.jsonValue().map((value) => writer.message(frameType.print, value)[0]?.subarray(13) as Uint8Array),
    fc
      .record({
        chunk: fc.anything(),
        index: fc.anything(),
        running: fc.array(fc.jsonValue()),
        facts: fc.jsonValue(),
      })
      .map(({ chunk, ...rest }) => ({ ...rest, chunk: typeof chunk === 'bigint' ? 0 : chunk }))
      .map((value) => {
        try {
          return writer.message(frameType.print, value)[0]?.subarray(13) as Uint8Array;
        } catch {
          return new Uint8Array();
        }
      }),
  );
  fc.assert(
    fc.property(bodies, fc.constantFrom(...readers), (body, read) => {
      try {
        read(Buffer.from(body));
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('random bytes are refused or waited for, never taken for a frame', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
      try {
        expect(readAll(chunks)).toEqual([]);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }),
  );
});

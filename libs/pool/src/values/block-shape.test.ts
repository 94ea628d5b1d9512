import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { encodeBlock, encodeNumbers, encodeRecords, encodeValue } from './block-codec.ts';
import { canBeBlock } from './block-shape.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

test.each([1, 15, 16, 127, 128, 20_000])('every block of %i values that we write can be one', (count) => {
  const lists: readonly (readonly unknown[])[] = [
    upTo(count),
    upTo(count).map((at) => at + 0.5),
    upTo(count).map((id) => ({ id, name: `record ${id}` })),
    upTo(count).map(() => undefined),
    upTo(count).map((at) => [at]),
    upTo(count).map(() => new Uint8Array(3)),
    new Array(count),
    upTo(count).map((at) => `${at}`.padEnd(at % 2 === 0 ? 600 : 500, at % 3 === 0 ? 'x' : '☃')),
  ];
  for (const values of lists) {
    for (const bytes of [encodeBlock('v8', values), encodeNumbers(values), encodeRecords(values)]) {
      if (bytes === undefined) continue;
      expect(canBeBlock('v8', bytes, count)).toBe(true);
      // How many records there are is seen when they are read.
      if (bytes !== encodeRecords(values) && bytes[2] !== 0x6f) {
        expect(canBeBlock('v8', bytes, count + 1)).toBe(false);
      }
    }
  }
  const texts = upTo(count).map((at) => `${at}`);
  for (const bytes of [encodeBlock('json', texts), encodeBlock('bytes', texts.map(Buffer.from))]) {
    expect(canBeBlock('json', bytes, count)).toBe(true);
    expect(canBeBlock('bytes', bytes, count + 1)).toBe(false);
    expect(canBeBlock('json', bytes, count - 1)).toBe(false);
    expect(canBeBlock('json', bytes.subarray(0, -1), count)).toBe(false);
  }
});

const texts: Uint8Array = encodeBlock(
  'v8',
  upTo(20).map(() => 'x'.repeat(600)),
);

test.each([
  ['texts of another number', encodeBlock('v8', ['x'.repeat(600)])],
  ['texts that break off', texts.subarray(0, -1)],
  ['texts with something behind them', Buffer.concat([texts, texts])],
  ['nothing', Buffer.alloc(0)],
  ['text', Buffer.from('hello')],
  ['a clone that breaks off after its head', Buffer.from([0xff, 0x0f])],
  ['a list that breaks off before its length', Buffer.from([0xff, 0x0f, 0x41])],
  ['a length that never ends', Buffer.from([0xff, 0x0f, 0x41, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ['a number', encodeValue(20)],
  ['a text', encodeValue('x'.repeat(20))],
  ['bytes of another length', encodeValue(new Uint8Array(20))],
  ['numbers that break off', encodeValue(new Int32Array(20)).subarray(0, -1)],
])('%s is none', (_, bytes) => {
  expect(canBeBlock('v8', bytes, 20)).toBe(false);
});

test('fewer than travel by column are no columns', () => {
  const bytes = encodeRecords(upTo(16).map((id) => ({ id }))) as Uint8Array;
  expect(canBeBlock('v8', bytes, 16)).toBe(true);
  expect(canBeBlock('v8', bytes, 15)).toBe(false);
});

import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { decodeBlock, decodeList, encodeBlock } from './block-codec.ts';
import { countOfTexts, packTexts } from './text-list.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const long = 'x'.repeat(2_000);

/** Texts of every kind: bytes alone, beyond a byte, halves of pairs anywhere, none; joined and cut as programs do it. */
const text = fc.oneof(
  fc.string({ unit: 'binary-ascii' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\0', 'é', '\xff', 'Ā', '☃', '\ud83d\ude00', '\ud83d', '\ude00', '\ufeff'),
  fc
    .tuple(fc.constantFrom('x', 'é', '☃', '\ud800', '\udfff'), fc.nat(3_000))
    .map(([unit, count]) => unit.repeat(count)),
  fc.nat(20).map((at) => `☃${long}${at}`.slice(at)),
);
const lists = fc.array(text, { maxLength: 12 }).map((texts) => [...texts, ...texts.map(() => long)]);

test('long texts travel as their units, whatever these are, and arrive as they were', () => {
  fc.assert(
    fc.property(lists, fc.nat(30), fc.nat(30), (texts, one, other) => {
      fc.pre(texts.length > 0);
      const bytes = packTexts(texts) as Uint8Array;
      expect(countOfTexts(bytes)).toBe(texts.length);
      expect(encodeBlock('v8', texts)).toEqual(bytes);
      expect(decodeBlock('v8', bytes, texts.length)).toEqual(texts);
      const [from, until] = [one % (texts.length + 1), other % (texts.length + 1)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      expect(decodeList(bytes, from, until - from)).toEqual(texts.slice(from, until));
    }),
    { numRuns: 100 },
  );
});

test('a text of a million units arrives, and takes a byte for each where none needs more', () => {
  for (const [unit, unitBytes] of [
    ['x', 1],
    ['é', 1],
    ['☃', 2],
    ['\ud800', 2],
  ] as const) {
    const million = unit.repeat(1_000_000);
    const bytes = packTexts([million]) as Uint8Array;
    expect(bytes.byteLength).toBe(5 + 4 + unitBytes * 1_000_000);
    const [arrived] = decodeBlock('v8', bytes, 1);
    expect(arrived === million, unit).toBe(true);
  }
});

test('short texts travel by structured clone, and so does whatever has something else in it', () => {
  const hole = [long, long];
  delete hole[1];
  for (const values of [[], ['x'], upTo(99), [long, ...upTo(3).map(() => '')], hole, [long, 1], [1, long]]) {
    expect(packTexts(values)).toBeUndefined();
  }
  for (const odd of [undefined, null, [long], Object(long), Symbol('x')]) {
    expect(packTexts([long, odd, long])).toBeUndefined();
  }
});

test('texts are written where the caller has room for them', () => {
  const room = Buffer.alloc(10_000, 7);
  const bytes = packTexts([long, '☃'], (size) => room.subarray(100, 100 + size)) as Uint8Array;
  expect(bytes.buffer).toBe(room.buffer);
  expect(bytes.byteLength).toBe(5 + 8 + 2_000 + 2);
  expect([
    ...room.subarray(98, 100),
    ...room.subarray(100 + bytes.byteLength, 102 + bytes.byteLength),
  ]).toEqual([7, 7, 7, 7]);
  expect(decodeBlock('v8', bytes, 2)).toEqual([long, '☃']);
});

const { exec } = RegExp.prototype;
const methods = Buffer.prototype as unknown as Record<string, unknown>;
const { latin1Slice, latin1Write } = methods;

afterEach(() => {
  RegExp.prototype.exec = exec;
  Object.assign(methods, { latin1Slice, latin1Write });
});

test('a task that replaces methods of Buffers and of patterns changes no text', () => {
  const broken = (): never => {
    throw new Error('replaced');
  };
  RegExp.prototype.exec = broken;
  Object.assign(methods, { latin1Slice: broken, latin1Write: broken });
  const arrived = decodeBlock('v8', encodeBlock('v8', [long, `☃${long}`]), 2);
  RegExp.prototype.exec = exec;
  expect(arrived).toEqual([long, `☃${long}`]);
});

const good = packTexts([long, '☃'.repeat(10)]) as Buffer;
const withWord = (at: number, word: number): Buffer => {
  const bytes = Buffer.from(good);
  bytes.writeUInt32LE(word, at);
  return bytes;
};

test.each([
  ['that break off', good.subarray(0, -1)],
  ['with something behind them', Buffer.concat([good, Buffer.alloc(1)])],
  ['that break off in their head', good.subarray(0, 4)],
  ['without a text', good.subarray(0, 5)],
  ['that say they are more', withWord(1, 3)],
  ['that say they are fewer', withWord(1, 1)],
  ['that say they are four thousand million', withWord(1, 0xffff_ffff)],
  ['one of which says it is longer', withWord(5, 2_001)],
  ['one of which says it is two thousand million units', withWord(5, 0x7fff_ffff)],
  ['one of which says it is wide', withWord(5, 0x8000_0000 + 2_000)],
])('texts %s are none', (_, bytes) => {
  expect(countOfTexts(bytes)).toBeUndefined();
  expect(() => decodeList(bytes, 0, 2)).toThrow('A block of structured clones is no list.');
});

test('texts of another number are refused', () => {
  expect(() => decodeBlock('v8', good, 1)).toThrow('A block of 1 values holds 2.');
  expect(() => decodeList(good, 1, 2)).toThrow('A block of 3 values holds 2.');
});

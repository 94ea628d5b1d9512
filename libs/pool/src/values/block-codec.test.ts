import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBlock, encodeBlock, encodeNumbers } from './block-codec.ts';

test('whatever structured clone carries comes back', () => {
  const values = fc.array(
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
  );
  fc.assert(
    fc.property(values, (items) => {
      expect(decodeBlock('v8', encodeBlock('v8', items), items.length)).toEqual(structuredClone(items));
    }),
  );
});

test('a list of nothing but numbers travels as an array of them, four or eight bytes each', () => {
  const whole = Array.from({ length: 1_000 }, (_, at) => at * 1_000_000 - 2 ** 31);
  const bytesOf = (values: readonly unknown[]): number => encodeNumbers(values)?.byteLength ?? Number.NaN;
  expect(bytesOf(whole)).toBeLessThan(4_016);
  expect(bytesOf([...whole, 0.5])).toBeGreaterThan(8_000);
  for (const values of [whole, [...whole, -0], [...whole, Number.NaN, 2 ** 31]]) {
    const bytes = encodeNumbers(values);
    expect([...decodeBlock('v8', bytes as Uint8Array, values.length)]).toEqual(values);
  }
});

test('a list that holds anything but numbers, or is short, is none', () => {
  const sparse = Array.from({ length: 100 }, (_, at) => at);
  delete sparse[50];
  let asked = 0;
  const counting = { valueOf: () => asked++ };
  const many = Array.from({ length: 100 }, () => 0.5);
  for (const values of [
    [1, 2, 3],
    sparse,
    [...many, '1'],
    [...many, 1n],
    [...many, counting],
    [counting, ...many],
  ]) {
    expect(encodeNumbers(values)).toBeUndefined();
  }
  expect(asked).toBe(0);
});

test('typed arrays get memory of their own, on both ends', () => {
  const big = Buffer.alloc(100_000, 7);
  const bytes = encodeBlock('v8', [big.subarray(1, 3), new Float64Array([1, 2])]);
  expect(bytes.byteLength).toBeLessThan(200);
  const [small, floats] = decodeBlock('v8', bytes, 2) as [Buffer, Float64Array];
  expect(Buffer.isBuffer(small)).toBe(true);
  expect([small.buffer.byteLength, floats.buffer.byteLength]).toEqual([2, 16]);
  expect([...floats]).toEqual([1, 2]);
});

test('a view of every kind arrives as one of that kind', () => {
  const bytes = new Uint8Array(16).map((_, at) => at + 1).buffer;
  const half = (globalThis as { readonly Float16Array?: new (memory: ArrayBuffer) => ArrayBufferView })
    .Float16Array;
  const kinds = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    DataView,
    BigInt64Array,
    BigUint64Array,
    ...(half === undefined ? [] : [half]),
  ];
  const views = [...kinds.map((Kind) => new Kind(bytes)), Buffer.from(bytes)];
  // At every address: what is read need not be aligned.
  for (const before of ['', 'a', 'ab', 'abc']) {
    const arrived = decodeBlock('v8', encodeBlock('v8', [before, ...views]), views.length + 1);
    expect([...arrived.slice(1)]).toEqual(views);
  }
});

test('what is no view of any kind is refused', () => {
  const bytes = Buffer.from(encodeBlock('v8', [new Uint8Array([1])]));
  const kindAt = bytes.indexOf(0x5c) + 1;
  bytes[kindAt] = 60;
  expect(() => decodeBlock('v8', bytes, 1)).toThrow('There is no view of kind 60.');
});

test('JSON values and bytes are records with a length', () => {
  const values = [1, null, { a: 'é' }, [true]];
  expect(decodeBlock('json', encodeBlock('json', values), 4)).toEqual(values);
  expect([...encodeBlock('json', [12])]).toEqual([2, 0, 0, 0, 0x31, 0x32]);
  expect(decodeBlock('json', encodeBlock('json', [undefined]), 1)).toEqual([null]);
  const [first] = decodeBlock('bytes', encodeBlock('bytes', [Buffer.from('abc')]), 1);
  expect(String(first)).toBe('abc');
});

test('a record that is no JSON leaves a hole, and its neighbours are read', () => {
  const texts = ['1', '{a}', '', '4', '{'].map((text) => Buffer.from(text));
  const values = decodeBlock('json', encodeBlock('bytes', texts), 5);
  expect(Object.entries(values)).toEqual([
    ['0', 1],
    ['3', 4],
  ]);
  expect(values.length).toBe(5);
});

test('bytes that are no UTF-8 are no JSON: nothing stands in the place of what they are', () => {
  const records = [Buffer.from('"\xfc"', 'latin1'), Buffer.from('"ü \ufffd"'), Buffer.from('edeab2', 'hex')];
  const values = decodeBlock('json', encodeBlock('bytes', records), 3);
  expect(Object.entries(values)).toEqual([['1', 'ü \ufffd']]);
});

test('a block of another count, or one that ends early, is refused', () => {
  expect(() => decodeBlock('v8', encodeBlock('v8', [1, 2]), 3)).toThrow('A block of 3 values holds 2.');
  expect(() => decodeBlock('v8', encodeBlock('v8', [1]).subarray(0, 3), 1)).toThrow();
  expect(() => decodeBlock('json', encodeBlock('json', [1]), 2)).toThrow('A block of 2 values holds 1.');
  expect(() => decodeBlock('json', encodeBlock('json', [1, 2]), 1)).toThrow(
    'A block of 1 values holds more.',
  );
  expect(() => decodeBlock('json', encodeBlock('json', ['text']).subarray(0, 6), 1)).toThrow(RangeError);
});

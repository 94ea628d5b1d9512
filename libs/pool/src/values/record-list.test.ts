import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { decodeBlock, decodeList, encodeBlock, encodeRecords, encodeValue } from './block-codec.ts';
import { packedMin } from './number-list.ts';
import { packRecords } from './record-list.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const primitive = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(undefined, null, true, false, -0, Number.NaN, 2 ** 31, 10n, '', '\ud800', 'a'.repeat(300)),
);
const field = fc.oneof({ weight: 40, arbitrary: primitive }, { weight: 1, arbitrary: fc.anything() });
const names = ['id', 'name', 'score', '0', '10', '-1', '', 'é', 'constructor', 'toString', '__proto__'];
const key = fc.oneof(fc.constantFrom(...names), fc.string());

/** Sets a field as structured clone does, where a plain assignment of `__proto__` would not. */
function withField(record: object, name: string, value: unknown): object {
  return Object.defineProperty(record, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

/** Mostly records of one shape: now and then one lacks a key, or has them in another order. */
const lists = fc
  .record({
    keys: fc.uniqueArray(key, { minLength: 1, maxLength: 5 }),
    rows: fc.array(fc.array(field, { minLength: 5, maxLength: 5 }), { minLength: 12, maxLength: 40 }),
    odd: fc.option(fc.record({ at: fc.nat(60), change: fc.constantFrom('reversed', 'shorter', 'longer') })),
  })
  .map(({ keys, rows, odd }) =>
    rows.map((row, at) => {
      const own = [...keys];
      if (odd?.at === at && odd.change === 'reversed') own.reverse();
      if (odd?.at === at && odd.change === 'shorter') own.pop();
      if (odd?.at === at && odd.change === 'longer') own.push('more');
      return own.reduce((record, name, nth) => withField(record, name, row[nth]), {});
    }),
  );

/** As structured clone brings them; tells -0 from 0, undefined from nothing, and looks at prototypes and orders. */
function expectClones(bytes: Uint8Array, records: readonly object[]): void {
  const arrived = [...decodeBlock('v8', bytes, records.length)];
  const wanted = structuredClone(records);
  deepStrictEqual(arrived, wanted);
  const keysOf = (list: readonly unknown[]): string[][] =>
    list.map((record) => Object.keys(record as object));
  deepStrictEqual(keysOf(arrived), keysOf(wanted));
}

test('records of one shape travel by column and arrive as structured clone brings them', () => {
  const own = key.filter((name) => !(name in Object.prototype));
  const uniform = fc
    .record({
      keys: fc.uniqueArray(own, { minLength: 1, maxLength: 5 }),
      rows: fc.array(fc.array(primitive, { minLength: 5, maxLength: 5 }), { minLength: 16, maxLength: 40 }),
    })
    .map(({ keys, rows }) =>
      rows.map((row) => Object.fromEntries(keys.map((name, nth) => [name, row[nth]]))),
    );
  fc.assert(
    fc.property(uniform, (records) => {
      const bytes = encodeRecords(records);
      expect(bytes).toBeInstanceOf(Uint8Array);
      expectClones(bytes as Uint8Array, records);
    }),
    { numRuns: 150 },
  );
});

test('of records that differ, whatever travels by column does so too', () => {
  fc.assert(
    fc.property(lists, (records) => {
      const bytes = encodeRecords(records);
      if (bytes !== undefined) expectClones(bytes, records);
    }),
    { numRuns: 150 },
  );
});

test('anything else does not', () => {
  const plain = upTo(40).map((id) => ({ id, name: `record ${id}` }));
  expect(encodeRecords(plain)).toBeDefined();
  function argumentsOf(..._: unknown[]): unknown {
    // biome-ignore lint/complexity/noArguments: an object of its own kind.
    return arguments;
  }
  class Named {
    id = 1;
    name = 'of a class';
  }
  const never: Record<string, unknown> = {
    'a proxy': new Proxy({ id: 1, name: 'x' }, {}),
    arguments: argumentsOf(1, 2),
    'an instance': new Named(),
    'an object without a prototype': Object.assign(Object.create(null), { id: 1, name: 'x' }),
    'a date that passes for a record': Object.assign(Object.setPrototypeOf(new Date(), Object.prototype), {
      id: 1,
      name: 'x',
    }),
    'a field that is an object': { id: 1, name: {} },
    'a field that is a function': { id: 1, name: () => 1 },
    'a field that is a symbol': { id: 1, name: Symbol('x') },
    'a field that throws': {
      id: 1,
      get name() {
        throw new Error('no');
      },
    },
    'a number': 1,
    null: null,
    undefined,
    'a list': [1, 'x'],
  };
  const notAmongThese: Record<string, unknown> = {
    ...never,
    'another order': { name: 'x', id: 1 },
    'another key': { id: 1, title: 'x' },
    'one key less': { id: 1 },
    'one key more': { id: 1, name: 'x', more: 1 },
  };
  const travels = (values: readonly unknown[]): boolean => encodeRecords(values) !== undefined;
  for (const [what, value] of Object.entries(notAmongThese)) {
    expect(travels(plain.with(20, value as never)), what).toBe(false);
  }
  for (const [what, value] of Object.entries(never))
    expect(travels(upTo(40).map(() => value)), what).toBe(false);
  const sparse = [...plain];
  delete sparse[20];
  expect(encodeRecords(sparse)).toBeUndefined();
  expect(encodeRecords(plain.slice(0, packedMin - 1))).toBeUndefined();
  const wide = Object.fromEntries(upTo(65).map((nth) => [`field ${nth}`, nth]));
  expect(encodeRecords(upTo(40).map(() => ({ ...wide })))).toBeUndefined();
});

test('what is more than its fields is none, whatever its prototype and its tag are', () => {
  const bare: Record<string, () => object> = {
    'a Map': () => new Map([[1, 2]]),
    'a Set': () => new Set([1]),
    'an ArrayBuffer': () => new ArrayBuffer(2),
    'a DataView': () => new DataView(new ArrayBuffer(2)),
    'a typed array': () => new Float64Array(2),
    'a boxed bigint': () => Object(1n) as object,
    'a WeakMap': () => new WeakMap(),
    'a Promise': () => Promise.resolve(),
  };
  for (const [what, make] of Object.entries(bare)) {
    const values = upTo(20).map((id) =>
      Object.assign(Object.setPrototypeOf(make(), Object.prototype), { id }),
    );
    expect(encodeRecords(values), what).toBeUndefined();
  }
  const hidden = upTo(20).map((id) => {
    const value = Object.assign(Object.setPrototypeOf(new Date(), Object.prototype), { id });
    return Object.defineProperty(value, Symbol.toStringTag, { value: 'Object' });
  });
  expect(encodeRecords(hidden), 'a Date with a tag').toBeUndefined();
  const among = upTo(20).map((id): object => ({ id }));
  expect(encodeRecords(among.with(9, hidden[9] as object)), 'one among records').toBeUndefined();
});

test('symbols, hidden fields and getters are dealt with as structured clone does', () => {
  const hidden = { value: 1, enumerable: false };
  const records = upTo(20).map((id) =>
    Object.defineProperty(
      {
        id,
        [Symbol('s')]: 1,
        get twice() {
          return 2 * id;
        },
      },
      'hidden',
      hidden,
    ),
  );
  deepStrictEqual(decodeList(encodeRecords(records) as Uint8Array, 0, 20), structuredClone(records));
});

test('keys are written once, numbers as they are packed', () => {
  const records = upTo(1_000).map((id) => ({ identifier: id, temperature: id + 0.5, isGood: true }));
  expect(packRecords(records)).toMatchObject({
    keys: ['identifier', 'temperature', 'isGood'],
    columns: [expect.any(Int32Array), expect.any(Float64Array), expect.any(Array)],
  });
  const [bytes, plainly] = [encodeRecords(records), encodeBlock('v8', records)];
  expect(bytes?.byteLength).toBeLessThan(plainly.byteLength / 3);
});

test('a record that stands in a list twice arrives as two', () => {
  const record = { id: 1 };
  const [first, second] = decodeList(encodeRecords(upTo(20).map(() => record)) as Uint8Array, 0, 20);
  expect(first).toEqual(second);
  expect(first).not.toBe(second);
});

afterEach(() => {
  delete (Object.prototype as { score?: unknown }).score;
});

test('a task that gives all objects a field changes no record', () => {
  const bytes = encodeRecords(upTo(20).map((score) => ({ score }))) as Uint8Array;
  Object.defineProperty(Object.prototype, 'score', { set() {}, configurable: true });
  const [, second] = decodeList(bytes, 0, 20);
  expect(Object.getOwnPropertyDescriptor(second, 'score')).toEqual({
    value: 1,
    configurable: true,
    enumerable: true,
    writable: true,
  });
  expect(encodeRecords(upTo(20).map((id) => ({ id, name: 'x' })))).toBeDefined();
});

test.each([
  ['columns of different lengths', { keys: ['a', 'b'], columns: [[1, 2], [1]] }],
  ['a column too few', { keys: ['a', 'b'], columns: [[1, 2]] }],
  ['no columns', { keys: [], columns: [] }],
  ['a key that is none', { keys: [1], columns: [[1]] }],
  ['a column that is none', { keys: ['a'], columns: ['text'] }],
  ['keys alone', { keys: ['a'] }],
  ['columns alone', { columns: [[1]] }],
  ['65 keys', { keys: upTo(65).map(String), columns: upTo(65).map(() => [1]) }],
  ['something else', 7],
  ['nothing', null],
])('a block of %s is refused', (_, value) => {
  expect(() => decodeList(encodeValue(value), 0, 1)).toThrow('A block of structured clones is no list.');
});

import { expect, test, vi } from 'vitest';
import { encodeBlock } from './block-codec.ts';
import { explainUnportable, findUnportable } from './portable.ts';

class Sub extends Map<number, number> {}
class Plain {
  readonly field = 1;
}
const circular: { self?: unknown } = {};
circular.self = circular;

test.each<[unknown]>([
  [1],
  ['text'],
  [null],
  [undefined],
  [1n],
  [new Date()],
  [/x/],
  [new Map([[1, new Set([2])]])],
  [new Sub([[1, 2]])],
  [new Plain()],
  [circular],
  [Object.create(null)],
  [new Uint8Array(2)],
  [new ArrayBuffer(2)],
  [new Error('x')],
])('%s can travel', (value) => {
  expect(findUnportable({ deep: [value] })).toBeUndefined();
  expect(() => encodeBlock('v8', [value])).not.toThrow();
});

test.each([
  [{ callbacks: [() => 1] }, '.callbacks[0]', 'a function'],
  [() => 1, 'it', 'a function'],
  [[1, [Symbol('s')]], '[1][0]', 'a symbol'],
  [{ a: { 'b c': new URL('http://localhost') } }, '.a["b c"]', 'a URL'],
  [new Map([['key', new Headers()]]), '.get("key")', 'a Headers'],
  [{ signal: new AbortController().signal }, '.signal', 'an AbortSignal'],
  [{ later: Promise.resolve() }, '.later', 'a Promise'],
  [new Error('x', { cause: new Blob([]) }), '.cause', 'a Blob'],
  [{ weak: new WeakMap() }, '.weak', 'a WeakMap'],
])('what cannot travel is named with its path (%#)', (value, path, kind) => {
  expect(findUnportable(value)).toEqual({ path, kind });
});

test('what only the encoder notices is found afterwards', () => {
  const value = { list: [new Proxy({}, {})] };
  expect(() => encodeBlock('v8', [value])).toThrow();
  expect(explainUnportable(value, 'v8', new Error('no'))).toEqual({ path: '.list[0]', kind: 'a Proxy' });
});

test('a getter that throws is no accident of ours', () => {
  const value = {
    inner: {
      get field(): never {
        throw new Error('no');
      },
    },
  };
  expect(findUnportable(value)).toEqual({
    path: '.inner',
    kind: 'an object with a field that throws when it is read',
  });
});

test('deep and wide values are looked at whole', () => {
  let deep: unknown = () => 1;
  for (let i = 0; i < 100; i++) deep = [deep];
  expect(findUnportable(deep)?.kind).toBe('a function');
  const wide = [Array.from({ length: 5_000 }, (_, i) => (i === 4_000 ? () => 1 : i))];
  expect(findUnportable(wide)?.path).toBe('[0][4000]');
});

test('no path is made for what can travel, however much of it there is', () => {
  const rows = Array.from({ length: 2_000 }, (_, i) => ({ i, name: `row ${i}`, cells: [i, null, true] }));
  const words = vi.spyOn(RegExp.prototype, 'test');
  try {
    expect(findUnportable({ rows })).toBeUndefined();
    expect(words).not.toHaveBeenCalled();
    expect(findUnportable({ rows: [...rows, { last: () => 1 }] })?.path).toBe('.rows[2000].last');
    expect(words).toHaveBeenCalled();
  } finally {
    words.mockRestore();
  }
});

test('a list with holes is looked at by what it has, and a field of its own is found', () => {
  const sparse: unknown[] = [];
  sparse[4_000_000_000] = () => 1;
  expect(findUnportable([sparse])?.path).toBe('[0][4000000000]');
  expect(findUnportable(sparse)?.path).toBe('[4000000000]');
  const portable: number[] = [1];
  portable[4_000_000_000] = 2;
  expect(findUnportable(portable)).toBeUndefined();
  const named = Object.assign(new Array<number>(2_000).fill(1), { more: new URL('http://localhost') });
  expect(findUnportable([named])?.path).toBe('[0].more');
});

test('the first culprit in reading order is the one named', () => {
  const value = { a: [1, { b: new Set([1, () => 1]) }], c: Symbol('s'), d: new Map([[() => 1, 1]]) };
  expect(findUnportable(value)).toEqual({ path: '.a[1].b.values()', kind: 'a function' });
  expect(findUnportable({ c: value.d })).toEqual({ path: '.c.keys()', kind: 'a function' });
});

test('JSON refuses what it would write as null', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const kind = `the number ${value}, which JSON cannot carry`;
    expect(findUnportable(value, 'json')).toEqual({ path: 'it', kind });
    expect(findUnportable([{ a: [1, value] }], 'json')).toEqual({ path: '[0].a[1]', kind });
    expect(findUnportable([{ a: [1, value] }])).toBeUndefined();
  }
  const when = { when: new Date(Number.NaN) };
  expect(findUnportable(when, 'json')).toEqual({
    path: '.when',
    kind: 'an invalid Date, which JSON cannot carry',
  });
  expect(findUnportable(when)).toBeUndefined();
});

/** Told as what it was made of. */
class Told {
  readonly #it: unknown;
  constructor(it: unknown) {
    this.#it = it;
  }
  toJSON(): unknown {
    return this.#it;
  }
}

/** Told as itself, field by field. */
class Itself {
  readonly rate: number;
  constructor(rate: number) {
    this.rate = rate;
  }
  toJSON(): this {
    return this;
  }
}

test.each<[unknown, string, string]>([
  [new Float64Array([1, Number.NaN]), '[1]', 'the number NaN'],
  [{ of: new Float32Array([Number.POSITIVE_INFINITY]) }, '.of[0]', 'the number Infinity'],
  [Object.assign(new Float64Array([1]), { rate: Number.NaN }), '.rate', 'the number NaN'],
  [Object(Number.NaN), 'it', 'the number NaN'],
  [[Object(Number.NEGATIVE_INFINITY)], '[0]', 'the number -Infinity'],
  [Object.assign(new Error('x'), { rate: Number.NaN }), '.rate', 'the number NaN'],
  [{ toJSON: 'no function', rate: Number.NaN }, '.rate', 'the number NaN'],
  [new Told(Number.NaN), '.toJSON()', 'the number NaN'],
  [{ a: [new Told({ b: new Told(Number.NaN) })] }, '.a[0].toJSON().b.toJSON()', 'the number NaN'],
  [new Itself(Number.NaN), '.toJSON().rate', 'the number NaN'],
  [new Told(new Map()), '.toJSON()', 'a Map'],
])('JSON refuses what is null or lost only as it is written (%#)', (value, path, kind) => {
  expect(JSON.stringify(value)).toMatch(/null|\{\}/);
  expect(findUnportable(value, 'json')).toEqual({ path, kind: `${kind}, which JSON cannot carry` });
});

test('JSON asks what a toJSON() has returned for no other one: of a Date nothing is left', () => {
  const when = new Date(0);
  expect(JSON.stringify([when, new Told(when)])).toBe('["1970-01-01T00:00:00.000Z",{}]');
  expect(findUnportable([when, new Told(when)], 'json')).toEqual({
    path: '[1].toJSON()',
    kind: 'a Date, of which JSON would carry nothing',
  });
});

test.each<[unknown]>([
  [new Float64Array([1, 0.5])],
  [Object.assign(new Float64Array([1]), { rate: 1 })],
  [Buffer.from('abc')],
  [[Object(1), Object('text'), Object(true)]],
  [new Itself(1)],
  [new Told(undefined)],
  [{ key: { toJSON: (key: string) => ({ [key]: 1 }) } }],
])('JSON takes what it writes whole (%#)', (value) => {
  expect(findUnportable(value, 'json')).toBeUndefined();
});

test('a toJSON() is asked with the key under which its object stands', () => {
  const asked: string[] = [];
  const each = { toJSON: (key: string) => asked.push(key) };
  findUnportable({ a: [each, each] }, 'json');
  expect(asked).toEqual(['0', '1', '0', '1']);
  asked.length = 0;
  findUnportable(each, 'json');
  expect(asked).toEqual(['', '']);
});

test('what JSON.stringify does not take is refused with its reason, and nothing is asked for ever', () => {
  const endless = (): unknown => ({ toJSON: () => ({ next: endless() }) });
  expect(findUnportable(endless(), 'json')?.kind).toMatch(/^refused \(Maximum call stack/);
  const thrower = {
    toJSON: () => {
      throw new Error('not now');
    },
  };
  expect(findUnportable({ a: thrower }, 'json')).toEqual({ path: 'it', kind: 'refused (not now)' });
  const unreadable = {
    get toJSON(): never {
      throw new Error('no');
    },
  };
  expect(findUnportable({ a: unreadable }, 'json')).toEqual({
    path: '.a',
    kind: 'an object with a field that throws when it is read',
  });
  expect(findUnportable([new BigInt64Array(1)], 'json')).toMatchObject({ path: '[0][0]' });
});

test('JSON refuses what it would lose', () => {
  expect(findUnportable({ n: [1n] }, 'json')).toMatchObject({ path: '.n[0]' });
  expect(findUnportable({ m: new Map() }, 'json')).toMatchObject({ path: '.m' });
  expect(findUnportable(circular, 'json')).toEqual({ path: 'it', kind: 'a circular structure' });
  expect(findUnportable({ when: new Date(), where: new URL('http://localhost') }, 'json')).toBeUndefined();
});

test('a long key, and a long way to what cannot travel, are cut: the message is for people', () => {
  const key = 'k'.repeat(300_000);
  expect(findUnportable({ [key]: () => {} })).toEqual({
    path: `["${'k'.repeat(100)}…"]`,
    kind: 'a function',
  });
  expect(findUnportable(new Map([[key, () => {}]]))?.path).toBe(`.get("${'k'.repeat(100)}…")`);
  let deep: unknown = () => {};
  for (let depth = 0; depth < 5_000; depth++) deep = { next: deep };
  const { path = '' } = findUnportable({ first: deep }) ?? {};
  expect(path).toHaveLength(1_001);
  expect(path.startsWith('…')).toBe(true);
  expect(path.endsWith('.next.next')).toBe(true);
});

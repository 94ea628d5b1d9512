import { expect } from 'vitest';
import { rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { abortOr, echo, returnBytes, returnFunction } from '../work.ts';

class Point {
  readonly #secret: number = 1;
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
  norm(): number {
    return Math.abs(this.x) * this.#secret;
  }
}

/** What travels, and what does not. */
export const values = chapter('values', (specify) => {
  specify('whatever structured clone carries arrives as it was', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const values = [
      undefined,
      null,
      -0,
      Number.NaN,
      2n ** 80n,
      'snow ☃',
      new Date(0),
      /x/gi,
      new Map([[1, new Set(['a'])]]),
      new Uint8Array([1, 2, 3]),
      { deep: [{ er: [] }] },
    ];
    expect(await pool.map(echo, values)).toEqual(values);
    const [back] = (await pool.map(echo, [circular])) as [{ self: unknown }];
    expect(back.self).toBe(back);
  });

  specify(
    'many records of one shape arrive as they were, and those of other shapes among them',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const nothing = [undefined, null, '', 0, -0, Number.NaN, 7n, false];
      const records: object[] = upTo(100).map((id) => ({
        id,
        name: `n ${id}`,
        some: nothing[id % 8],
        7: 'seven',
      }));
      // An own field of this name: assigning it to another object would change that one's prototype.
      const proto = upTo(100).map((id) => JSON.parse(`{"__proto__": ${id}, "id": ${id}}`) as object);
      const mixed = records.with(50, { id: 50, at: new Date(50) });
      for (const items of [records, proto, mixed]) expect(await pool.map(echo, items)).toStrictEqual(items);
    },
  );

  specify('long texts arrive unit for unit, whatever is in them and among them', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const parts = ['x', 'é', '☃', '\ud83d\ude00', '\ud83d', '\ude00', '\0'];
    const texts: unknown[] = upTo(40).map((at) => `${at}${(parts[at % 7] as string).repeat(3_000)}`);
    const million = '☃'.repeat(10).padEnd(1_000_000, 'x');
    const mixed = texts.with(20, { text: texts[20] }).with(30, '');
    for (const items of [texts, mixed, [million], [million.slice(10)]]) {
      const back = await pool.map(echo, items);
      // Nothing prints megabytes where one differs.
      expect(items.findIndex((item, at) => typeof item === 'string' && back[at] !== item)).toBe(-1);
      expect(back).toHaveLength(items.length);
    }
    expect((await pool.map(echo, mixed))[20]).toEqual(mixed[20]);
  });

  specify('a value that one item holds twice is still one value', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const shared = { a: 1 };
    const [back] = (await pool.map(echo, [{ one: shared, two: shared }])) as [{ one: object; two: object }];
    expect(back.one).toBe(back.two);
  });

  specify('a task that changes its item changes nothing at the caller', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const items = [{ count: 0 }, { count: 5 }];
    const increment = (item: { count: number }): number => {
      item.count += 1;
      return item.count;
    };
    expect(await pool.map(increment, items)).toEqual([1, 6]);
    expect(items).toEqual([{ count: 0 }, { count: 5 }]);
  });

  specify('an instance of a class arrives with its fields and without its class', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const [back] = await pool.map(echo, [new Point(3)]);
    expect(back).toEqual({ x: 3 });
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  specify('an error that is an item, or is returned, is a value', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const [back] = await pool.map(echo, [new RangeError('just a value')]);
    expect(back).toBeInstanceOf(RangeError);
    expect(back).toMatchObject({ message: 'just a value' });
  });

  specify(
    'a DOMException in an item or a result, of which nothing would arrive, is refused',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const outcomes = await pool.mapSettled(abortOr, [true]);
      expect(outcomes[0]).toMatchObject({
        error: {
          code: 'VALUE_NOT_PORTABLE',
          message: expect.stringContaining('[0].reason is a DOMException'),
        },
      });
      const item = new Error('outside', { cause: new DOMException('gone', 'AbortError') });
      expect(await rejectionOf(pool.map(echo, [item]))).toMatchObject({
        code: 'VALUE_NOT_PORTABLE',
        message: expect.stringContaining('.cause is a DOMException'),
      });
    },
  );

  specify('typed arrays of every kind arrive with their kind', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const arrays = [
      new Uint8Array([1, 255]),
      new Int16Array([-1]),
      new Float32Array([0.5]),
      new Float64Array([Number.NaN, -0]),
      new BigInt64Array([-5n]),
      new Uint8ClampedArray([300]),
      new DataView(new ArrayBuffer(4)),
      new ArrayBuffer(3),
    ];
    const back = await pool.map(echo, arrays);
    expect(back).toEqual(arrays);
    expect(back.map((array) => array?.constructor.name)).toEqual(
      arrays.map((array) => array.constructor.name),
    );
  });

  specify('a small view of a big buffer takes along no more than itself', async ({ open }) => {
    await using pool = await open({ processes: 1, maxItemBytes: 10_000 });
    const big = new Uint8Array(1_000_000).fill(7);
    expect(await pool.map(echo, [big.subarray(10, 14)])).toEqual([new Uint8Array([7, 7, 7, 7])]);
  });

  specify('keys that look like commands are only keys', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const item = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "then": 2}') as object;
    const [back] = (await pool.map(echo, [item])) as [object];
    expect(Object.keys(back)).toEqual(['__proto__', 'constructor', 'then']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  specify(
    'an item that cannot be sent fails by index and path; the others run, and keep their indices',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const items = [1, { callbacks: [() => 1] }, 3, new URL('http://localhost'), 5];
      const outcomes = await pool.mapSettled(echo, items);
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(outcomes[1]).toMatchObject({
        error: {
          code: 'VALUE_NOT_PORTABLE',
          index: 1,
          message: 'Item 1 cannot be sent: .callbacks[0] is a function. Send plain data.',
        },
      });
      expect(outcomes[3]).toMatchObject({ error: { code: 'VALUE_NOT_PORTABLE', index: 3 } });
      expect(await rejectionOf(pool.map(echo, items))).toMatchObject({ index: 1 });
    },
  );

  specify('a result that cannot be sent is the error of its item', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const error = await rejectionOf(pool.map(returnFunction, [0, 1, 2]));
    expect(error).toMatchObject({
      code: 'VALUE_NOT_PORTABLE',
      index: 1,
      message: expect.stringContaining('.run is a function'),
    });
  });

  specify('an item or a result beyond its limit is the error of its item', async ({ open }) => {
    await using pool = await open({ processes: 1, maxItemBytes: 10_000, maxResultBytes: 5_000 });
    const [small, result, item] = await pool.mapSettled(echo, ['x', 'x'.repeat(7_000), 'x'.repeat(20_000)]);
    expect(small).toMatchObject({ status: 'fulfilled' });
    expect(result).toMatchObject({ error: { code: 'RESULT_TOO_LARGE', index: 1 } });
    expect(item).toMatchObject({
      error: { code: 'ITEM_TOO_LARGE', index: 2, message: expect.stringContaining('maxItemBytes') },
    });
  });

  specify('items and results of 20 MB travel', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const big = 'ä'.repeat(10_000_000);
    const [back, bytes] = await Promise.all([
      pool.map((text: string) => text, [big]),
      pool.map(returnBytes, [20_000_000]),
    ]);
    expect(back[0] === big).toBe(true);
    expect(bytes[0]?.length).toBe(20_000_000);
  });

  specify('a result of 300 MB is refused, and the others arrive', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const outcomes = await pool.mapSettled(returnBytes, [1, 300_000_000, 2]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({
      error: {
        code: 'RESULT_TOO_LARGE',
        message: expect.stringMatching(/^Result of item 1 is 286\.1 MiB; the limit is 64 MiB/),
      },
    });
  });

  specify('results of numbers may be anything, each stands at its place', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const various = (item: number): unknown => {
      if (item % 100 === 60) throw new RangeError(`not ${item}`);
      if (item % 100 === 61) return `item ${item}`;
      if (item % 100 === 62) return Promise.resolve(item);
      if (item % 100 === 63) return undefined;
      if (item % 100 === 64) return -0;
      return item < 500 ? item : item / 4;
    };
    const items = Array.from({ length: 1_000 }, (_, index) => index);
    const outcomes = await pool.mapSettled(various, items);
    const expected = await Promise.all(
      items.map(async (item) => (item % 100 === 60 ? 'threw' : various(item))),
    );
    // toEqual tells -0 from 0.
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'threw'))).toEqual(
      expected,
    );
    expect(outcomes.map(({ index }) => index)).toEqual(items);
  });

  specify('long lists of numbers arrive as they were, whichever numbers they are', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const whole = upTo(500);
    const odd = [
      -0,
      0.5,
      Number.NaN,
      -Infinity,
      2 ** 31,
      -(2 ** 31),
      Number.MAX_SAFE_INTEGER,
      Number.MIN_VALUE,
    ];
    const mixed = [...whole.slice(0, 250), 'text', null, undefined, ...whole.slice(250)];
    for (const items of [whole, [...whole, -0], [...odd, ...whole, ...odd], mixed]) {
      // toEqual tells -0 from 0.
      expect(await pool.map(echo, items, { chunkSize: 100 })).toEqual(items);
    }
    expect(await pool.map(echo, [new Int32Array(100), new Float64Array(100)])).toEqual([
      new Int32Array(100),
      new Float64Array(100),
    ]);
  });

  specify('a thousand items of 10 KiB arrive whole and in order', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const items = upTo(1_000).map((n) => `${n}-`.repeat(2_000));
    expect(await pool.map(echo, items)).toEqual(items);
  });

  specify('a pool cannot be sent, nor can its jobs and streams', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const job = pool.submit(echo, []);
    const stream = pool.imap(echo, []);
    for (const [item, kind] of [
      [pool, 'a pool'],
      [{ of: job }, 'a job'],
      [[stream], 'a stream of results'],
    ] as const) {
      expect(await rejectionOf(pool.map(echo, [item]))).toMatchObject({
        code: 'VALUE_NOT_PORTABLE',
        message: expect.stringContaining(`is ${kind}`),
      });
    }
    await job.result();
    await stream.return();
  });

  specify('a promise as an item cannot be sent, and the message says so', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.map(echo, [[Promise.resolve(1)]]))).toMatchObject({
      code: 'VALUE_NOT_PORTABLE',
      message: expect.stringMatching(/^Item 0 cannot be sent: \[0\] is a Promise/),
    });
  });
});

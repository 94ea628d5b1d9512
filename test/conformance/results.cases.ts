import { describe, expect, test } from 'vitest';
import { eventually, type OpenPool, rejectionOf, upTo } from './pool-under-test.ts';
import { add, echo, type Scientist, sleepThenSay, square, transform, whereAmI, whoRan } from './work.ts';

const scientists: readonly Scientist[] = Object.freeze(
  [
    { name: 'Ada Lovelace', born: 1815 },
    { name: 'Emmy Noether', born: 1882 },
    { name: 'Marie Curie', born: 1867 },
    { name: 'Tu Youyou', born: 1930 },
    { name: 'Ada Yonath', born: 1939 },
    { name: 'Vera Rubin', born: 1928 },
    { name: 'Sally Ride', born: 1951 },
  ].map((scientist) => Object.freeze(scientist)),
);

/** What comes out: values, in order, from several processes. */
export function resultCases(open: OpenPool): void {
  describe('results', () => {
    test('the seven scientists come back in order, from several processes, and stay as they were', async () => {
      await using pool = await open({ processes: 4 });
      const before = structuredClone(scientists);
      const out = await pool.map(transform, scientists);
      expect(out.map(({ name, age }) => ({ name, age }))).toEqual(
        scientists.map(({ name, born }) => ({ name, age: 2017 - born })),
      );
      const pids = new Set(out.map(({ pid }) => pid));
      expect(pids.size).toBeGreaterThan(1);
      expect(pids).not.toContain(process.pid);
      expect(scientists).toEqual(before);
    });

    test('results keep the order of the items, however long each takes', async () => {
      await using pool = await open({ processes: 3 });
      const delays = [60, 5, 40, 0, 20, 1, 30, 2];
      expect(await pool.map(sleepThenSay, delays)).toEqual(delays);
    });

    test.each([1, 7, 100, 5_000])(
      'pool.map(f, xs) equals xs.map(f) with a chunk size of %i',
      async (chunkSize) => {
        await using pool = await open({ processes: 2 });
        const items = upTo(1_000);
        expect(await pool.map(square, items, { chunkSize })).toEqual(items.map(square));
      },
    );

    test('100,000 tiny items come back complete and in order', async () => {
      await using pool = await open({ processes: 2 });
      const items = upTo(100_000);
      expect(await pool.map(square, items)).toEqual(items.map(square));
    });

    test('no items give no results', async () => {
      await using pool = await open({ processes: 1 });
      expect(await pool.map(square, [])).toEqual([]);
      expect(await pool.mapSettled(square, [])).toEqual([]);
      expect(await pool.imap(square, []).next()).toEqual({ done: true, value: undefined });
    });

    test('an input may be a generator, a set, or an async generator', async () => {
      await using pool = await open({ processes: 2 });
      function* three(): Generator<number> {
        yield* [1, 2, 3];
      }
      async function* slowThree(): AsyncGenerator<number> {
        for (const item of [1, 2, 3]) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          yield item;
        }
      }
      expect(await pool.map(square, three())).toEqual([1, 4, 9]);
      expect(await pool.map(square, new Set([1, 2, 3]))).toEqual([1, 4, 9]);
      expect(await pool.map(square, slowThree())).toEqual([1, 4, 9]);
    });

    test('holes of an array are items that are undefined, as an iterator has them', async () => {
      await using pool = await open({ processes: 1 });
      const sparse = [1, 2, 3];
      delete sparse[1];
      expect(await pool.map(echo, sparse)).toEqual([1, undefined, 3]);
    });

    test('starmap spreads each element into the arguments', async () => {
      await using pool = await open({ processes: 2 });
      const argLists: [number, number, number?][] = [
        [1, 2],
        [3, 4, 5],
      ];
      expect(await pool.starmap(add, argLists)).toEqual([3, 12]);
    });

    test('apply calls the function once with its arguments', async () => {
      await using pool = await open({ processes: 1 });
      expect(await pool.apply(add, [1, 2])).toBe(3);
    });

    test('a function may be the default export of a module, or a named one', async () => {
      await using pool = await open({ processes: 1 });
      const module = new URL('./work.ts', import.meta.url);
      expect(await pool.map(module, [1, 2])).toEqual([2, 3]);
      expect(await pool.map(new URL('#square', module), [3])).toEqual([9]);
      expect(await pool.map(module, [3], { export: 'square' })).toEqual([9]);
    });

    test('a function may be written inline if it needs nothing from outside itself', async () => {
      await using pool = await open({ processes: 1 });
      expect(await pool.map((x: number) => Math.sqrt(x) + 1, [4, 9])).toEqual([3, 4]);
      expect(await pool.map(async (x: number) => x * 2, [4])).toEqual([8]);
      expect(await pool.map(Math.sqrt, [16])).toEqual([4]);
    });

    test('an inline function that needs something is refused by name before anything is sent', async () => {
      await using pool = await open({ processes: 1 });
      const factor = 3;
      expect(await rejectionOf(pool.map((x: number) => x * factor, [1]))).toMatchObject({
        code: 'TASK_NOT_PORTABLE',
        message: expect.stringContaining('`factor`'),
      });
    });

    test('whatever structured clone carries arrives as it was', async () => {
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

    test('a task knows its item, its try and its job', async () => {
      await using pool = await open({ processes: 1 });
      const [, second] = await pool.map(whereAmI, [0, 0]);
      expect(second).toMatchObject({ index: 1, attempt: 1, isSignal: true, job: 'string' });
    });

    test('a job of three items does not wait for one of thousands that came before it', async () => {
      await using pool = await open({ processes: 2 });
      let bigIsDone = false;
      const big = pool.map(whoRan, upTo(3_000)).then(() => {
        bigIsDone = true;
      });
      await pool.map(whoRan, [1, 2, 3]);
      expect(bigIsDone).toBe(false);
      await big;
    });

    test('stats tell the processes and what was done', async () => {
      await using pool = await open({ processes: 2 });
      const out = await pool.map(whoRan, upTo(20), { chunkSize: 1 });
      // On a cluster a snapshot is as old as the last heartbeat.
      const stats = await eventually(
        () => pool.stats(),
        ({ processes }) => processes.reduce((sum, { tasksRun }) => sum + tasksRun, 0) === 20,
      );
      expect(stats).toMatchObject({ deaths: 0, recycled: 0, queued: 0, running: 0, done: 20 });
      const pids = stats.processes.map(({ pid }) => pid);
      for (const { pid } of out) expect(pids).toContain(pid);
      expect(stats.processes.length).toBeLessThanOrEqual(2);
    });
  });
}

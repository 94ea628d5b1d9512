import {
  JobCancelledError,
  type MapOptions,
  type MapProgress,
  PoolClosedError,
  PoolTerminatedError,
  TimeoutError,
} from 'shoal';
import { describe, expect, test } from 'vitest';
import { eventually, type OpenPool, rejectionOf, upTo } from './pool-under-test.ts';
import { failIfBad, sleepThenSay, square, whoRan } from './work.ts';

const minuteMs = 60_000;

/** Counts how often each value occurs. */
function tally(values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Beginning, recycling and end of pools and jobs. */
export function lifecycleCases(open: OpenPool): void {
  describe('recycling', () => {
    test('12 items with a limit of 2 in chunks of 3 use 6 processes, two items each', async () => {
      await using pool = await open({ processes: 1, maxTasksPerChild: 2 });
      const out = await pool.map(whoRan, upTo(12), { chunkSize: 3 });
      expect(out.map(({ item }) => item)).toEqual(upTo(12));
      expect([...tally(out.map(({ pid }) => pid)).values()]).toEqual([2, 2, 2, 2, 2, 2]);
    });

    test('a limit of 1 gives each item a process of its own', async () => {
      await using pool = await open({ processes: 2, maxTasksPerChild: 1 });
      const out = await pool.map(whoRan, upTo(7));
      expect(new Set(out.map(({ pid }) => pid)).size).toBe(7);
    });

    test('failed calls count, and the limit holds across jobs', async () => {
      await using pool = await open({ processes: 1, maxTasksPerChild: 3 });
      await pool.mapSettled(
        failIfBad,
        upTo(2).map((item) => ({ item, bad: true })),
      );
      const out = await pool.map(whoRan, upTo(4), { chunkSize: 1 });
      expect([...tally(out.map(({ pid }) => pid)).values()]).toEqual([1, 3]);
    });
  });

  describe('close, terminate and join', () => {
    test('after close() work is refused, and what was pending finishes', async () => {
      await using pool = await open({ processes: 1 });
      const pending = pool.map(sleepThenSay, [50]);
      pool.close();
      expect(await rejectionOf(pool.map(square, [1]))).toBeInstanceOf(PoolClosedError);
      expect(await rejectionOf(pool.imap(square, [1]).next())).toMatchObject({ code: 'POOL_CLOSED' });
      await pool.join();
      expect(await pending).toEqual([50]);
    });

    test('join() before close() is an error', async () => {
      await using pool = await open({ processes: 1 });
      expect(await rejectionOf(pool.join())).toMatchObject({ code: 'POOL_NOT_CLOSED' });
    });

    test('work that is pending at terminate() rejects within a second', async () => {
      await using pool = await open({ processes: 1 });
      const stream = pool.imap(sleepThenSay, [minuteMs]);
      const pending = [
        pool.map(sleepThenSay, [minuteMs]),
        stream.next(),
        pool.submit(sleepThenSay, [minuteMs]).result(),
      ];
      const reasons = Promise.all(pending.map(rejectionOf));
      await eventually(
        () => pool.stats().running,
        (running) => running > 0,
      );
      const before = performance.now();
      const terminated = pool.terminate();
      for (const reason of await reasons) expect(reason).toBeInstanceOf(PoolTerminatedError);
      expect(performance.now() - before).toBeLessThan(1_000);
      await terminated;
      await pool.join();
      expect(await rejectionOf(pool.map(square, [1]))).toBeInstanceOf(PoolTerminatedError);
    });

    test('all three may be called in any order, any number of times', async () => {
      await using pool = await open({ processes: 1 });
      await pool.map(square, [1]);
      await pool.terminate();
      pool.close();
      await pool.join();
      await pool.terminate();
      await pool.join();
      pool.close();
    });

    test('leaving the block terminates the pool', async () => {
      let pending: Promise<unknown> = Promise.resolve();
      {
        await using pool = await open({ processes: 1 });
        pending = rejectionOf(pool.map(sleepThenSay, [minuteMs]));
      }
      expect(await pending).toBeInstanceOf(PoolTerminatedError);
    });

    test("with onDispose: 'drain' leaving the block waits", async () => {
      let pending: Promise<unknown> = Promise.resolve();
      {
        await using pool = await open({ processes: 1, onDispose: 'drain' });
        pending = pool.map(sleepThenSay, [50]);
      }
      expect(await pending).toEqual([50]);
    });
  });

  describe('jobs', () => {
    test('submit gives a handle whose result may be asked for any number of times', async () => {
      await using pool = await open({ processes: 1 });
      const seen: unknown[] = [];
      const job = pool.submit(square, [1, 2, 3], { onSuccess: (results) => seen.push(results) });
      expect(job.ready).toBe(false);
      expect(() => job.successful).toThrow(/not ready/);
      expect(await job.result()).toEqual([1, 4, 9]);
      expect(await job.result({ timeoutMs: 100 })).toEqual([1, 4, 9]);
      await job.wait();
      expect(job).toMatchObject({
        ready: true,
        successful: true,
        progress: { total: 3, done: 3, failed: 0 },
      });
      expect(job.id).not.toBe('');
      expect(seen).toEqual([[1, 4, 9]]);
    });

    test('a job that fails tells its handle and its callback, and a throwing callback harms nothing', async () => {
      await using pool = await open({ processes: 1 });
      const seen: unknown[] = [];
      const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
      const job = pool.submit(failIfBad, [{ item: 0, bad: true }], {
        onError: (error) => {
          seen.push(error);
          throw new Error('careless');
        },
      });
      await job.wait();
      expect(job.successful).toBe(false);
      expect(await rejectionOf(job.result())).toMatchObject({ code: 'ITEM_THREW' });
      expect(seen).toHaveLength(1);
      expect((await warned).message).toContain('careless');
      expect(await pool.map(square, [2])).toEqual([4]);
    });

    test('a wait that runs out leaves the job alone; cancel() ends it', async () => {
      await using pool = await open({ processes: 1 });
      const job = pool.submit(sleepThenSay, [minuteMs]);
      expect(await rejectionOf(job.result({ timeoutMs: 20 }))).toBeInstanceOf(TimeoutError);
      expect(job.ready).toBe(false);
      job.cancel();
      expect(await rejectionOf(job.result())).toBeInstanceOf(JobCancelledError);
      // The slot is free again once the item that ran was ended.
      expect(await pool.map(square, [2])).toEqual([4]);
    });

    test('an aborted signal rejects with its own reason', async () => {
      await using pool = await open({ processes: 1 });
      const controller = new AbortController();
      const reason = { why: 'changed my mind' };
      const pending = rejectionOf(pool.map(sleepThenSay, [minuteMs], { signal: controller.signal }));
      controller.abort(reason);
      expect(await pending).toBe(reason);
      expect(await rejectionOf(pool.map(square, [1], { signal: AbortSignal.abort(reason) }))).toBe(reason);
    });

    test('a job that is past its deadline is cancelled', async () => {
      await using pool = await open({ processes: 1 });
      expect(await rejectionOf(pool.map(sleepThenSay, [minuteMs], { deadlineMs: 100 }))).toMatchObject({
        code: 'JOB_DEADLINE',
        message: expect.stringContaining('100 ms'),
      });
    });

    test('onProgress is told where the job stands, the last time when all is done', async () => {
      await using pool = await open({ processes: 2 });
      const told: MapProgress[] = [];
      const items = upTo(200).map((item) => ({ item, bad: item === 9 }));
      await rejectionOf(pool.map(failIfBad, items, { onProgress: (progress) => told.push(progress) }));
      expect(told.at(-1)).toMatchObject({ total: 200, done: 199, failed: 1, running: 0 });
    });

    test('the total is unknown until the input has ended', async () => {
      await using pool = await open({ processes: 1 });
      const told: MapProgress[] = [];
      async function* two(): AsyncGenerator<number> {
        yield 1;
        await eventually(
          () => told.length,
          (count) => count > 0,
        );
        yield 2;
      }
      await pool.map(square, two(), { onProgress: (progress) => told.push(progress) });
      expect(told[0]?.total).toBeUndefined();
      expect(told.at(-1)).toMatchObject({ total: 2, done: 2 });
    });
  });

  describe('options', () => {
    const bad: [keyof MapOptions | 'chunksize' | 'export', unknown, RegExp][] = [
      ['chunkSize', 0, /^chunkSize has to be a whole number from 1 to 1000000 or 'auto', not 0\.$/],
      ['chunkSize', 0.5, /chunkSize/],
      ['chunkSize', 'many', /chunkSize .*'auto', not "many"/],
      ['timeoutMs', -1, /timeoutMs/],
      ['timeoutMs', Number.NaN, /timeoutMs .* not NaN/],
      ['retries', -1, /retries/],
      ['retries', { crashes: 1 }, /retries: there is no option "crashes"\. Did you mean crash\?/],
      ['maxTasksPerChild', '2', /maxTasksPerChild/],
      ['bufferSize', 0, /bufferSize/],
      ['failFast', 1, /failFast has to be true or false/],
      ['signal', {}, /signal has to be an AbortSignal/],
      ['onProgress', 'me', /onProgress has to be a function/],
      ['priority', 1_000, /priority/],
      ['retryOn', [1], /retryOn\[0\] has to be a string/],
      ['chunksize', 2, /^map\(\) options: there is no option "chunksize"\. Did you mean chunkSize\?$/],
      ['export', 'square', /there is no option "export"/],
    ];
    test.each(bad)('%s: %s is refused by name, before anything runs', async (name, value, message) => {
      await using pool = await open({ processes: 1 });
      const error = (await rejectionOf(pool.map(square, [1], { [name]: value }))) as Error;
      expect(error.constructor === RangeError || error.constructor === TypeError).toBe(true);
      expect(error.message).toMatch(message);
      expect(pool.stats().done).toBe(0);
    });

    test('a bad option of a stream rejects its first next(), then it is over', async () => {
      await using pool = await open({ processes: 1 });
      const stream = pool.imap(square, [1], { bufferSize: 0 });
      expect(await rejectionOf(stream.next())).toBeInstanceOf(RangeError);
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    });

    test('what cannot be iterated is refused', async () => {
      await using pool = await open({ processes: 1 });
      expect(await rejectionOf(pool.map(square, 5 as unknown as number[]))).toBeInstanceOf(TypeError);
      expect(await rejectionOf(pool.map(null as unknown as typeof square, [1]))).toBeInstanceOf(TypeError);
    });
  });
}

import { type MapProgress, TimeoutError } from 'shoal';
import { expect } from 'vitest';
import { eventually, rejectionOf, upTo } from '../pool-under-test.ts';
import { chapter } from '../specification.ts';
import { failIfBad, sleepThenSay, square } from '../work.ts';

const minuteMs = 60_000;

/** The next warning of this process that matters here. */
const warning = (): Promise<Error> => new Promise((resolve) => process.once('warning', resolve));

/** Handles, callbacks and progress. */
export const jobs = chapter('jobs', (specify) => {
  specify('submit gives a handle whose result may be asked for any number of times', async ({ open }) => {
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

  specify('wait() comes back when the job has ended, well or not', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const good = pool.submit(square, [2]);
    const bad = pool.submit(failIfBad, [{ item: 0, bad: true }]);
    await Promise.all([good.wait(), bad.wait({ timeoutMs: 20_000 })]);
    expect([good.ready, bad.ready]).toEqual([true, true]);
    expect([good.successful, bad.successful]).toEqual([true, false]);
    expect(await rejectionOf(bad.result())).toBe(await rejectionOf(bad.result()));
  });

  specify('a wait that runs out leaves the job as it was', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const job = pool.submit(sleepThenSay, [400]);
    expect(await rejectionOf(job.result({ timeoutMs: 20 }))).toBeInstanceOf(TimeoutError);
    expect(await rejectionOf(job.wait({ timeoutMs: 20 }))).toBeInstanceOf(TimeoutError);
    expect(job.ready).toBe(false);
    expect(await job.result()).toEqual([400]);
  });

  specify('whether a job that runs was successful is an error to ask', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const job = pool.submit(sleepThenSay, [minuteMs]);
    expect(() => job.successful).toThrow(expect.objectContaining({ code: 'JOB_NOT_READY' }));
    job.cancel();
    await job.wait();
    expect(job.successful).toBe(false);
  });

  specify(
    'the callback of success is called once with the results, that of failure never',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const seen: unknown[] = [];
      const job = pool.submit(square, [1, 2], {
        onSuccess: (results) => seen.push(results),
        onError: (error) => seen.push(error),
      });
      await job.result();
      await job.wait();
      expect(seen).toEqual([[1, 4]]);
    },
  );

  specify(
    'the callback of failure is called once with the error, that of success never',
    async ({ open }) => {
      await using pool = await open({ processes: 1 });
      const seen: unknown[] = [];
      const items = upTo(10).map((item) => ({ item, bad: item > 5 }));
      const job = pool.submit(failIfBad, items, {
        onSuccess: (results) => seen.push(results),
        onError: (error) => seen.push(error),
      });
      const error = await rejectionOf(job.result());
      await job.wait();
      expect(seen).toEqual([error]);
      expect(error).toMatchObject({ index: 6 });
    },
  );

  specify(
    'a job that fails tells its handle and its callback, and a throwing callback harms nothing',
    async ({ open }) => {
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
    },
  );

  specify('a callback of success that throws harms neither its job nor later ones', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const warned = warning();
    const job = pool.submit(square, [3], {
      onSuccess: () => {
        throw new Error('careless');
      },
    });
    expect(await job.result()).toEqual([9]);
    expect((await warned).message).toContain('careless');
    expect(await pool.submit(square, [4]).result()).toEqual([16]);
  });

  specify('jobs that are submitted together each get their own results', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const handles = upTo(10).map((factor) =>
      pool.submit(
        square,
        upTo(20).map((n) => n + factor),
      ),
    );
    for (const [factor, job] of handles.entries()) {
      expect(await job.result()).toEqual(upTo(20).map((n) => (n + factor) ** 2));
    }
    expect(new Set(handles.map(({ id }) => id)).size).toBe(10);
  });

  specify('submit never throws: what is wrong shows in the result', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    expect(await rejectionOf(pool.submit(square, [1], { chunkSize: 0 }).result())).toBeInstanceOf(RangeError);
    expect(await rejectionOf(pool.submit(square, 5 as unknown as number[]).result())).toBeInstanceOf(
      TypeError,
    );
  });

  specify('onProgress is told where the job stands, the last time when all is done', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const told: MapProgress[] = [];
    const items = upTo(200).map((item) => ({ item, bad: item === 9 }));
    await rejectionOf(pool.map(failIfBad, items, { onProgress: (progress) => told.push(progress) }));
    expect(told.at(-1)).toMatchObject({ total: 200, done: 199, failed: 1, running: 0 });
  });

  specify('the total is unknown until the input has ended', async ({ open }) => {
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

  specify('an onProgress that throws is reported and harms nothing', async ({ open }) => {
    await using pool = await open({ processes: 1 });
    const warned = warning();
    const careless = (): never => {
      throw new Error('careless');
    };
    expect(await pool.map(square, [1, 2], { onProgress: careless })).toEqual([1, 4]);
    expect((await warned).message).toContain('careless');
  });

  specify('progress never goes back, and never beyond the total', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    const told: MapProgress[] = [];
    const delays = upTo(60).map(() => 10);
    await pool.map(sleepThenSay, delays, { onProgress: (progress) => told.push(progress) });
    const done = told.map((progress) => progress.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    for (const { total, running } of told) {
      expect(total).toBe(60);
      expect(running).toBeGreaterThanOrEqual(0);
      expect(running).toBeLessThanOrEqual(60);
    }
    expect(told.length).toBeGreaterThan(1);
  });

  specify('stats tell the processes and what was done', async ({ open }) => {
    await using pool = await open({ processes: 2 });
    await pool.map(square, upTo(20), { chunkSize: 1 });
    // On a cluster a snapshot is as old as the last heartbeat.
    const stats = await eventually(
      () => pool.stats(),
      ({ processes }) => processes.reduce((sum, { tasksRun }) => sum + tasksRun, 0) === 20,
    );
    expect(stats).toMatchObject({ deaths: 0, recycled: 0, queued: 0, running: 0, done: 20 });
    for (const { pid, startedAt, state } of stats.processes) {
      expect(pid).toBeGreaterThan(0);
      expect(startedAt).toBeInstanceOf(Date);
      expect(['starting', 'idle', 'busy', 'retiring']).toContain(state);
    }
    expect(stats.processes.length).toBeLessThanOrEqual(2);
  });
});

import type { Job, MapPool } from '@shoal/pool';
import { JobState } from '@shoal/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from './connect.ts';
import { FakeCoordinator, until } from './fake-coordinator.testkit.ts';

const plusOne = (n: number): number => n + 1;
const waits = ({ progress }: Job<number>): boolean =>
  progress.waitingFor === 'waits for other jobs of this pool';

const isCutOff = ({ progress }: Job<number>): boolean =>
  progress.waitingFor?.endsWith('was lost, trying again') ?? false;

let coordinator: FakeCoordinator;
let pool: MapPool;
/** Ends the one job that has a place. */
let letGo: () => void;
let first: Promise<number[]>;

/** A connection that carries one job at once, and a job that has that place until `letGo` is called. */
beforeEach(async () => {
  coordinator = await FakeCoordinator.start();
  coordinator.streamsMax = 4;
  pool = await connect(coordinator.address);
  const { promise, resolve } = Promise.withResolvers<void>();
  letGo = resolve;
  first = pool.map(
    plusOne,
    (async function* () {
      yield 1;
      await promise;
    })(),
  );
  first.catch(() => {});
  await until('it has its place', () => coordinator.jobs.length === 1);
});
afterEach(async () => {
  letGo();
  await pool.terminate();
  await coordinator[Symbol.asyncDispose]();
});

test('a job for which the connection has no room says so, and runs when another one is over', async () => {
  const job = pool.submit(plusOne, [1, 2, 3]);
  await until('it says why', () => waits(job));
  expect(coordinator.jobs).toHaveLength(1);
  letGo();
  expect(await first).toEqual([2]);
  expect(await job.result()).toEqual([2, 3, 4]);
  expect(job.progress.waitingFor).toBeUndefined();
  expect(coordinator.jobs).toHaveLength(2);
});

test('one that is cancelled while it waits is never created, and the next one is', async () => {
  const controller = new AbortController();
  const cancelled = pool.submit(plusOne, [1]);
  const aborted = pool.submit(plusOne, [2], { signal: controller.signal });
  const next = pool.submit(plusOne, [3]);
  await until('all wait', () => [cancelled, aborted, next].every(waits));
  cancelled.cancel();
  controller.abort(new Error('enough'));
  await expect(cancelled.result()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
  await expect(aborted.result()).rejects.toThrow('enough');
  letGo();
  expect(await next.result()).toEqual([4]);
  expect(coordinator.jobs).toHaveLength(2);
});

test('a deadline passes while a job waits, too; what the wait left of it is the coordinator’s', async () => {
  await expect(pool.map(plusOne, [1], { deadlineMs: 20 })).rejects.toMatchObject({
    code: 'JOB_DEADLINE',
    message: expect.stringContaining('20 ms'),
    facts: { waitingFor: 'waits for other jobs of this pool' },
  });
  expect(coordinator.jobs).toHaveLength(1);
  const [startedAtMs, deadlineMs] = [performance.now(), 600_000];
  const later = pool.map(plusOne, [1], { deadlineMs });
  await until('it has waited', () => performance.now() - startedAtMs > 10);
  coordinator.ending = () => {
    const error = { code: 'JOB_DEADLINE', facts: { limit: '599 s' }, message: '', error: new Uint8Array() };
    return { state: JobState.DEADLINE, succeeded: 0, failed: 0, error };
  };
  letGo();
  await expect(later).rejects.toMatchObject({ facts: { limit: '10 min' } });
  expect(coordinator.jobs[1]?.request.options?.deadlineMs).toBeLessThanOrEqual(deadlineMs - 10);
});

test('a deadline passes while a coordinator that cannot be reached has not heard of the job', async () => {
  letGo();
  await first;
  coordinator.wire.cut({ refuse: true });
  await expect(pool.map(plusOne, [1], { deadlineMs: 50 })).rejects.toMatchObject({
    code: 'JOB_DEADLINE',
    message: expect.stringMatching(/50 ms\. It (waited until coordinator|waited: the connection to) 127/),
  });
  expect(coordinator.jobs).toHaveLength(1);
});

test('a coordinator that comes back with fewer streams is asked before the next jobs go in', async () => {
  letGo();
  await first;
  await pool.terminate();
  coordinator.streamsMax = 100;
  pool = await connect(coordinator.address);
  const held = Promise.withResolvers<void>();
  const input = async function* (): AsyncGenerator<number> {
    yield 1;
    await held.promise;
  };
  const runs = pool.submit(plusOne, input());
  await until('it runs', () => runs.progress.done === 1);
  coordinator.streamsMax = 7;
  coordinator.wire.cut({ refuse: true });
  await until('it has lost its connection', () => isCutOff(runs));
  const jobs = [1, 2, 3].map(() => pool.submit(plusOne, input()));
  await until('all wait for that', () => jobs.every(isCutOff));
  coordinator.wire.mend();
  await until('one has a place, and two wait for theirs', () => jobs.filter(waits).length === 2);
  held.resolve();
  expect(await Promise.all([runs, ...jobs].map((job) => job.result()))).toEqual(Array(4).fill([2]));
});

test('those that wait already say that the connection is gone, and are let in anew when it is back', async () => {
  const job = pool.submit(plusOne, [1]);
  await until('it waits for the other one', () => waits(job));
  coordinator.wire.cut({ refuse: true });
  await until('it says what is the matter', () => isCutOff(job));
  coordinator.streamsMax = 7;
  coordinator.wire.mend();
  // The one that was inside has not left.
  expect(await job.result()).toEqual([2]);
});

test('a connection that breaks again before the next job is created is asked about again', async () => {
  coordinator.wire.cut({ refuse: true });
  const jobs = [pool.submit(plusOne, [1])];
  await until('it is cut off', () => jobs.every(isCutOff));
  coordinator.wire.mend();
  await until('it waits for its turn again', () => jobs.every(waits));
  coordinator.wire.cut({ refuse: true });
  await until('the second break is noticed', () => jobs.every(isCutOff));
  coordinator.wire.mend();
  letGo();
  expect(await Promise.all(jobs.map((job) => job.result()))).toEqual([[2]]);
});

test('terminate() ends those that wait, and none of them is created', async () => {
  const waiting = [pool.submit(plusOne, [1]), pool.submit(plusOne, [2])];
  await until('they wait', () => waiting.every(waits));
  const outcomes = Promise.allSettled([first, ...waiting.map((job) => job.result())]);
  await pool.terminate();
  const reasons = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
  expect(reasons).toEqual(Array(3).fill('POOL_TERMINATED'));
  await until('nothing more can come', () => coordinator.wire.connections === 0);
  expect(coordinator.calls.filter((call) => call === 'createJob')).toHaveLength(1);
});

test('close() waits for those that wait', async () => {
  const waiting = pool.submit(plusOne, [1]);
  await until('it waits', () => waits(waiting));
  pool.close();
  letGo();
  await pool.join();
  expect(await waiting.result()).toEqual([2]);
});

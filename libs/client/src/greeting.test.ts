import { surfaceOver } from '@shoal/pool';
import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { eachWithCoordinator, numbers, plusOne } from './client-case.testkit.ts';
import { ClusterBackend } from './cluster-backend.ts';
import { clusterSetupOf } from './cluster-setup.ts';
import { Connection } from './connection.ts';
import { type FakeCoordinator, until } from './fake-coordinator.testkit.ts';

let coordinator: FakeCoordinator;
eachWithCoordinator((fresh) => {
  coordinator = fresh;
});

async function greeted(): Promise<Connection> {
  const bounds = { connectTimeoutMs: 10_000, reconnectTimeoutMs: 10_000 };
  return Connection.open(parseAddress(coordinator.address), bounds, { tls: undefined, token: undefined });
}
const greetings = (): number => coordinator.calls.filter((call) => call === 'getStatus').length;

test('a coordinator that is replaced after it was greeted, with no call open, is greeted anew before a job goes in', async () => {
  coordinator.streamsMax = 100;
  const connection = await greeted();
  coordinator.wire.cut({ refuse: true });
  await until('the break is noticed', () => connection.broken.aborted);
  // The other one takes one job at a time.
  coordinator.streamsMax = 4;
  coordinator.wire.mend();
  const backend = new ClusterBackend({ connection, processes: undefined, setup: clusterSetupOf({}) });
  await using pool = surfaceOver(backend, {});
  const held = Promise.withResolvers<void>();
  const jobs = [1, 2].map(() =>
    pool.submit(
      plusOne,
      (async function* () {
        yield 1;
        await held.promise;
      })(),
    ),
  );
  const waits = (): number =>
    jobs.filter(({ progress }) => progress.waitingFor === 'waits for other jobs of this pool').length;
  await until('one runs, and the other one waits for it', () => coordinator.jobs.length > 0 && waits() > 0);
  expect([coordinator.jobs.length, waits(), greetings()]).toEqual([1, 1, 2]);
  held.resolve();
  expect(await Promise.all(jobs.map((job) => job.result()))).toEqual([[2], [2]]);
});

test('one that stays is greeted once, however many jobs it has', async () => {
  const connection = await greeted();
  const backend = new ClusterBackend({ connection, processes: undefined, setup: clusterSetupOf({}) });
  await using pool = surfaceOver(backend, {});
  for (let job = 0; job < 3; job++)
    expect(await pool.map(plusOne, numbers(5))).toEqual(numbers(5).map(plusOne));
  expect([connection.broken.aborted, greetings()]).toEqual([false, 1]);
});

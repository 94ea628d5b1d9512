/** One small job after the other: what a coordinator keeps of those that are over. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.stop());

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test('two thousand jobs in a row need no more room than a hundred, and their memory is flat', async () => {
  // None is forgotten for want of a client before the end.
  await cluster.start({ maxJobs: 100, ephemeralGraceMs: 600_000 });
  await cluster.agent({ processes: 2 });
  const { client, coordinator, sha256 } = cluster;
  const one = async (item: number): Promise<void> => {
    const job = await client.createJob(sha256, 'inc', { group: { id: 'all', processes: 2 } });
    const [{ ended, values }] = await Promise.all([client.read(job), client.push(job, [item])]);
    expect([ended?.succeeded, ...values.values()]).toEqual([1, item + 1]);
  };
  // Twenty at a time.
  const run = (from: number, to: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: 20 }, async (_, row) => {
        for (let item = from + row; item < to; item += 20) await one(item);
      }),
    );
  await run(0, 600);
  const before = heapUsed();
  await run(600, 2_000);
  const kibEach = (heapUsed() - before) / 1_400 / 1_024;
  // About five: what is still known of a job, here and in the agent, and what the heap is untidy by.
  expect(kibEach).toBeLessThan(10);
  await until(
    'all was acknowledged',
    () => coordinator.status().heldBytes,
    (seen) => seen === 0,
  );
  expect(coordinator.status()).toMatchObject({ activeJobs: 0, limitsReached: {} });
}, 300_000);

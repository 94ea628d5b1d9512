import { connect } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectsInside, mapsInside } from './nested-work.ts';
import { TestCluster } from './test-cluster.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
  await cluster.agent({ processes: 1 });
});
afterEach(() => cluster.stop());

test('a pool inside a task on a cluster is refused with the reason, and nothing waits for ever', async () => {
  const { address } = cluster.coordinator;
  await using pool = await connect(address);
  const outcomes = [
    ...(await pool.mapSettled(mapsInside, [1, 2])),
    ...(await pool.mapSettled(connectsInside, [address])),
  ];
  const causes = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.error.cause);
  expect(causes).toMatchObject([
    { code: 'POOL_IN_CLUSTER_TASK', message: expect.stringMatching(/^new Pool\(\) was called in a task/) },
    { code: 'POOL_IN_CLUSTER_TASK' },
    { code: 'POOL_IN_CLUSTER_TASK', message: expect.stringMatching(/^connect\(\) was called in a task/) },
  ]);
  // Its one slot is free again.
  expect(await pool.map((x: number) => x + 1, [1])).toEqual([2]);
});

test('a task module that creates a pool while it loads is told so, and what to do', async () => {
  await using pool = await connect(cluster.coordinator.address);
  const module = new URL('./unguarded-work.ts', import.meta.url);
  await expect(pool.map(module, [1], { export: 'double' })).rejects.toMatchObject({
    code: 'POOL_IN_TASK_MODULE',
    message: expect.stringMatching(/unguarded-work\.ts\).*import\.meta\.main/),
  });
});

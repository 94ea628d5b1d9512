import { connect } from 'shoal';
import { afterEach, expect, test } from 'vitest';
import { TestCluster } from './test-cluster.ts';

const cluster = new TestCluster();
afterEach(() => cluster.stop());

test('more jobs at once than a connection may have calls all finish', async () => {
  // Each reads its results for as long as it runs: ten of them would leave no stream for the items of any.
  await cluster.listen({ maxStreamsPerConnection: 10 });
  await cluster.agent({ processes: 1 });
  await using pool = await connect(cluster.coordinator.address);
  const items = [1, 2, 3];
  const jobs = Array.from({ length: 60 }, () => pool.map((n: number) => n + 1, items));
  expect(await Promise.all(jobs)).toEqual(Array(60).fill([2, 3, 4]));
});

import { connect, type MapPool, type MapProgress, type Settled } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pending } from '../pending.ts';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
let pool: MapPool;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
  pool = await connect(cluster.coordinator.address);
});
afterEach(async () => {
  await pool.terminate();
  await cluster.stop();
});

/** Errors tell where an item ran. */
const failsThere = (): never => {
  throw new Error('here');
};

const agentsOf = (outcomes: readonly Settled<unknown>[]): unknown[] =>
  outcomes.map((outcome) => outcome.status === 'rejected' && 'agent' in outcome.error && outcome.error.agent);

test('a job with labels runs on agents that have them, and says what it waits for while there are none', async () => {
  await cluster.agent({ labels: { zone: 'north', disk: 'fast' } });
  const told: MapProgress[] = [];
  const outcomes = pending(
    pool.mapSettled(failsThere, [1, 2, 3], {
      labels: { zone: 'south', disk: 'fast' },
      onProgress: (progress) => void told.push(progress),
    }),
  );
  const waitsFor =
    /^no agent has labels zone=south, disk=fast; start one: shoal agent --join \S+ --labels zone=south,disk=fast$/;
  await until('the reason', () => told.some(({ waitingFor }) => waitsFor.test(waitingFor ?? '')));
  await cluster.agent({ labels: { zone: 'south', disk: 'fast', gpu: 'a100' } });
  expect(agentsOf(await outcomes)).toEqual(['agent-2', 'agent-2', 'agent-2']);
});

test('a job without labels runs anywhere', async () => {
  await cluster.agent({ labels: { zone: 'north' } });
  expect(agentsOf(await pool.mapSettled(failsThere, [1]))).toEqual(['agent-1']);
});

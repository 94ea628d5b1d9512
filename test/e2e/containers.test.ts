import { inspect } from 'node:util';
import { connect, type MapPool } from 'shoal';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dockerAnswers } from '../../docker/image.ts';
import { canary } from '../canary.ts';
import { pending } from '../pending.ts';
import { ContainerCluster } from './cluster.testkit.ts';
import { collatzSteps, keep, visit } from './work.ts';

const available = await dockerAnswers();
if (!available) {
  const loud = 'NO DOCKER: the container tests are skipped. REQUIRE_DOCKER=1 makes this an error.';
  if (process.env['REQUIRE_DOCKER'] === '1') throw new Error(loud);
  console.warn(loud);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

// Without a Docker daemon there is nothing to test here; the line above says so.
describe.skipIf(!available)('a cluster of containers, its client outside', () => {
  let cluster: ContainerCluster;
  let pool: MapPool;

  beforeAll(async () => {
    cluster = await ContainerCluster.start(['killed', 'drained', 'unplugged']);
    pool = await connect(cluster.address, { tls: cluster.tls });
  });
  afterAll(async () => {
    await pool?.terminate();
    await cluster?.stop();
  });
  beforeEach(() => cluster.clearBook());

  test('gives the same results in the same order as a plain loop', async () => {
    const starts = range(20_000);
    expect(await pool.map(collatzSteps, starts)).toEqual(starts.map((start) => collatzSteps(start)));
  });

  test('uses every agent', async () => {
    const visits = await pool.map(visit, range(24));
    expect(visits.map(({ item }) => item)).toEqual(range(24));
    expect(new Set(visits.map(({ host }) => host)).size).toBe(3);
  });

  // What the containers have said by the end is searched for it, and for their tokens and keys: cluster.stop().
  test('a secret in items and results comes back, and is in no error', async () => {
    const items = range(9).map((at) => ({ at, secret: canary }));
    const outcomes = await pool.mapSettled(keep, items);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toMatchObject(
      Array.from({ length: 6 }, () => ({ value: canary })),
    );
    const errors = outcomes.filter(({ status }) => status === 'rejected');
    expect(errors).toHaveLength(3);
    expect(inspect(errors, { depth: 9, showHidden: true })).not.toContain(canary);
  });

  test('an agent that leaves the network and comes back costs only time', async () => {
    const items = range(150);
    const running = pending(pool.map(visit, items));
    await cluster.untilStarted(20);
    await cluster.disconnect('unplugged');
    const visits = await running;
    expect(visits.map(({ item }) => item)).toEqual(items);
    await cluster.reconnect('unplugged');
    await cluster.untilAgents((names) => names.includes('unplugged'));
    const later = await pool.map(visit, range(24));
    expect(new Set(later.map(({ host }) => host)).size).toBe(3);
  });

  test('an agent that gets SIGTERM finishes what runs: nothing runs twice, and it exits with 0', async () => {
    const items = range(100);
    const running = pending(pool.map(visit, items));
    await cluster.untilStarted(20);
    expect(await cluster.terminate('drained')).toBe(0);
    const visits = await running;
    expect(visits.map(({ item }) => item)).toEqual(items);
    const started = (await cluster.executions()).map(({ item }) => item).toSorted((a, b) => a - b);
    expect(started).toEqual(items);
  });

  test('an agent that is killed in the middle of a job loses nothing', async () => {
    const items = range(100);
    const running = pending(pool.map(visit, items));
    await cluster.untilStarted(20);
    await cluster.kill('killed');
    const visits = await running;
    expect(visits.map(({ item }) => item)).toEqual(items);
    expect(Math.max(...visits.map(({ attempt }) => attempt))).toBe(2);
  });
});

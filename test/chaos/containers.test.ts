/** Faults that take a container: a frozen machine, one without memory, one with hardly any CPU. */
import { connect, type MapPool } from 'shoal';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dockerAnswers } from '../../docker/image.ts';
import { ContainerCluster } from '../e2e/cluster.testkit.ts';
import { collatzSteps, visit } from '../e2e/work.ts';
import { pending } from '../pending.ts';
import { holdTo } from './figures.ts';
import { hoard, outcomeOf } from './work.ts';

const available = await dockerAnswers();
if (!available) {
  const loud = 'NO DOCKER: faults of containers are not tested here. REQUIRE_DOCKER=1 makes this an error.';
  if (process.env['REQUIRE_DOCKER'] === '1') throw new Error(loud);
  console.warn(loud);
}

const names = ['one', 'two'];
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe.skipIf(!available)('faults of containers', () => {
  let cluster: ContainerCluster;
  let pool: MapPool;

  beforeAll(async () => {
    cluster = await ContainerCluster.start(names);
    await Promise.all(names.map((name) => cluster.limit(name, { memory: '400m' })));
    pool = await connect(cluster.address, { tls: cluster.tls });
  }, 120_000);
  afterAll(async () => {
    await pool?.terminate();
    await cluster?.stop();
  });
  beforeEach(() => cluster.clearBook());

  test('the kernel kills a process for want of memory: its item is blamed, the agent lives, all others finish', async () => {
    const orders = range(30).map((item) => ({ item, ms: 20, book: '/book/executions', bytes: 2 ** 30 }));
    const outcomes = await pool.mapSettled(hoard, orders);
    const killed = { signal: 'SIGKILL' };
    expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([
      { index: 5, error: { code: 'ITEM_KILLED_CHILD', attempts: [killed, killed, killed] } },
    ]);
    const values = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(values).toEqual(orders.filter(({ item }) => item !== 5).map(outcomeOf));
    expect(await cluster.connectedAgents()).toEqual(names);
  });

  test('an agent with a twentieth of a CPU costs time and nothing else', async () => {
    const starts = range(20_000).map((start) => start + 1);
    await cluster.limit('two', { cpus: '0.05' });
    try {
      const fromMs = performance.now();
      expect(await pool.map(collatzSteps, starts)).toEqual(starts.map((start) => collatzSteps(start)));
      holdTo(30_000, 'one of two agents with 0.05 CPUs, 20,000 short items', performance.now() - fromMs);
    } finally {
      // The next test has agents that are well, whatever became of this one.
      await cluster.limit('two', { cpus: '2' });
      await cluster.untilAgents((agents) => agents.length === 2);
    }
  });

  test('an agent that is frozen: its work runs elsewhere, and it is taken back', async () => {
    const items = range(80);
    const running = pending(pool.map(visit, items));
    await cluster.untilStarted(8);
    await cluster.pause('two');
    try {
      const frozenMs = Date.now();
      const visits = await running;
      expect(visits.map(({ item }) => item)).toEqual(items);
      holdTo(16_000, 'an agent frozen, the job is done', Date.now() - frozenMs);
    } finally {
      await cluster.unpause('two');
    }
    await cluster.untilAgents((agents) => agents.length === 2);
    await cluster.clearBook();
    const later = await pool.map(visit, range(24));
    expect(later.map(({ item }) => item)).toEqual(range(24));
    expect(new Set(later.map(({ host }) => host)).size).toBe(2);
    expect((await cluster.executions()).length).toBe(24);
  });
});

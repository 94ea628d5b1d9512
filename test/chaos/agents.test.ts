/** What happens to agents, and what it costs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../cli/command.testkit.ts';
import { pending } from '../pending.ts';
import { ChaosCluster, expected, shortTimes } from './chaos-cluster.ts';
import { FaultProxy } from './fault-proxy.ts';
import { holdTo } from './figures.ts';
import { hoard, unevenWork, work } from './work.ts';

/** The default: so long an agent that comes and goes gets nothing, the first time. */
const quarantineMs = 30_000;

test.concurrent('an agent that is stopped and goes on late: given up within 10.5 s, its results are refused, and it is taken back', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['sleeper', 'heir'] });
  const pool = await cluster.connect();
  const orders = cluster.orders(120, 40);
  const results = pending(pool.map(work, orders));
  await cluster.started(20);
  const sleeper = cluster.agent('sleeper');
  sleeper.signal('SIGSTOP');
  const stoppedMs = Date.now();
  expect(await results).toEqual(expected(orders));
  const lost = await cluster.coordinator.event('agent.lost', 30_000);
  holdTo(10_500, 'an agent stopped, given up', lost.time - stoppedMs);
  // Its children went on meanwhile; what they have for it is of no use any more.
  sleeper.signal('SIGCONT');
  const isBack = ({ agent, time }: { agent?: unknown; time: number }): boolean =>
    agent === 'sleeper' && time > stoppedMs;
  await cluster.coordinator.event('agent.joined', 60_000, isBack);
  const more = cluster.orders(60, 40);
  const before = cluster.book.executions().length;
  expect(await pool.map(work, more)).toEqual(expected(more));
  const served = cluster.book.executions().slice(before);
  expect(new Set(served.map(({ agent }) => agent))).toEqual(new Set(['sleeper', 'heir']));
  expect(served.length).toBe(more.length);
  await cluster.leaksNothing();
});

test.concurrent('an agent that loses its connection again and again is set aside, and gets work again 30 s later', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['steady'] });
  await using proxy = await FaultProxy.to(cluster.address);
  const flapping = await cluster.startAgent('flapping', { join: proxy.address });
  const pool = await cluster.connect();
  const orders = cluster.orders(200, 60);
  const results = pending(pool.map(work, orders));
  await cluster.started(10);
  for (let sessions = 2; sessions <= 5; sessions++) {
    proxy.reset();
    await until(
      `session ${sessions}`,
      () => flapping.events('agent.joined').length === sessions || undefined,
      () => flapping.story(),
    );
  }
  const setAside = await cluster.coordinator.event('agent.quarantined', 30_000);
  expect(setAside).toMatchObject({ agent: 'flapping', forMs: quarantineMs });
  expect(await results).toEqual(expected(orders));
  const overMs = setAside.time + quarantineMs - 100;
  const served = (fromMs: number, toMs = Number.POSITIVE_INFINITY) =>
    cluster.book
      .executions()
      .filter(({ agent, atMs }) => agent === 'flapping' && atMs > fromMs && atMs < toMs);
  const deadline = performance.now() + 60_000;
  const few = orders.slice(0, 10);
  while (served(overMs).length === 0 && performance.now() < deadline) {
    expect(await pool.map(work, few)).toEqual(expected(few));
  }
  expect(served(setAside.time + 100, overMs)).toEqual([]);
  expect(served(overMs)).not.toEqual([]);
  await cluster.leaksNothing();
});

test.concurrent('all agents are gone: the job waits, says why, and goes on when one comes', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['one', 'two'], times: shortTimes });
  const pool = await cluster.connect();
  const orders = cluster.orders(80, 40);
  const results = pending(pool.map(work, orders));
  await cluster.started(20);
  await Promise.all([cluster.killAgent('one'), cluster.killAgent('two')]);
  const operator = await cluster.operator();
  let waitingFor = '';
  const deadline = performance.now() + 60_000;
  while (!waitingFor.includes('0 agents are connected') && performance.now() < deadline) {
    await sleep(50);
    waitingFor = (await operator.jobs())[0]?.progress?.waitingFor ?? '';
  }
  expect(waitingFor).toContain(`0 agents are connected. Start one: shoal agent --join ${cluster.address}`);
  const startMs = Date.now();
  await cluster.startAgent('three');
  expect(await results).toEqual(expected(orders));
  holdTo(15_000, 'all agents gone, one started, the job is done', Date.now() - startMs);
  await cluster.leaksNothing();
});

test.concurrent('an agent that is ten times slower takes a tenth of the work and holds nobody up', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['fast', 'slow'] });
  const pool = await cluster.connect();
  const orders = cluster.orders(300, 20).map((order) => ({ ...order, slow: 'slow' }));
  await pool.map(unevenWork, orders.slice(0, 8));
  const before = cluster.book.executions().length;
  const fromMs = performance.now();
  expect(await pool.map(unevenWork, orders)).toEqual(expected(orders));
  const tookMs = performance.now() - fromMs;
  // 2 slots at 50 items a second and 2 at 5: 2.7 s if nobody ever waited, 15 s if each slot had as many.
  holdTo(10_000, 'one of two agents ten times slower, 300 items of 20 ms', tookMs);
  const bySlow = cluster.book
    .executions()
    .slice(before)
    .filter(({ agent }) => agent === 'slow').length;
  expect(bySlow).toBeLessThan(orders.length / 4);
  await cluster.leaksNothing();
});

test.concurrent('an item that takes all memory is blamed by its number, and all others finish', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['one', 'two'], times: shortTimes });
  const pool = await cluster.connect({ maxRssBytes: 150 * 2 ** 20 });
  const orders = cluster.orders(40, 10).map((order) => ({ ...order, bytes: 2 ** 30 }));
  const outcomes = await pool.mapSettled(hoard, orders);
  expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([
    { index: 5, error: { code: 'ITEM_KILLED_CHILD', attempts: [{}, {}, {}] } },
  ]);
  const values = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  expect(values).toEqual(expected(orders.filter(({ item }) => item !== 5)));
  expect(cluster.coordinator.events('agent.lost')).toEqual([]);
  await cluster.leaksNothing();
});

/** What happens to the coordinator, and what it costs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../cli/command.testkit.ts';
import { pending } from '../pending.ts';
import { ChaosCluster, expected, patient } from './chaos-cluster.ts';
import { holdTo } from './figures.ts';
import { work } from './work.ts';

const many = 200;

test.concurrent('a coordinator that stands still for 15 s: nobody is declared dead, no connection is dropped', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['one', 'two'] });
  const pool = await cluster.connect();
  const orders = cluster.orders(300, 100);
  const results = pending(pool.map(work, orders));
  await cluster.started(40);
  cluster.coordinator.signal('SIGSTOP');
  await sleep(15_000);
  cluster.coordinator.signal('SIGCONT');
  const resumedMs = Date.now();
  expect(await results).toEqual(expected(orders));
  expect(cluster.book.starts(orders.length)).toEqual(orders.map(() => 1));
  const stalled = await cluster.coordinator.event('coordinator.stalled', 30_000);
  expect(stalled['stalledMs']).toBeGreaterThan(13_000);
  const stories = ['agent.lost', 'agent.disconnected', 'attempt.unconfirmed', 'job.retried'];
  expect(stories.flatMap((event) => cluster.coordinator.events(event))).toEqual([]);
  for (const agent of cluster.agents.values()) expect(agent.events('agent.disconnected')).toEqual([]);
  const first = cluster.book.executions().find(({ atMs }) => atMs > resumedMs);
  holdTo(2_000, 'a coordinator stood still for 15 s, the next item starts', (first?.atMs ?? 0) - resumedMs);
  await cluster.leaksNothing();
});

test.concurrent('a coordinator that is killed: the client is told, agents join the next one and drop the old work', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['one', 'two'] });
  const pool = await cluster.connect({ reconnectTimeoutMs: 60_000 });
  const orders = cluster.orders(40, 60_000);
  const rejection = pool.map(work, orders).catch((error: unknown) => error);
  await cluster.started(4);
  await cluster.coordinator.kill();
  await cluster.startCoordinator();
  const startedMs = Date.now();
  await Promise.all(
    ['one', 'two'].map((name) =>
      cluster.coordinator.event('agent.joined', 60_000, ({ agent }) => agent === name),
    ),
  );
  holdTo(10_000, 'a coordinator started again, its agents are back', Date.now() - startedMs);
  expect(await rejection).toMatchObject({
    code: 'CONNECTION_LOST',
    facts: { reason: 'it was restarted, and the job is gone' },
  });
  const more = cluster.orders(100, 5);
  const second = await cluster.connect();
  expect(await second.map(work, more)).toEqual(expected(more));
  await cluster.leaksNothing();
});

test.concurrent('200 agents whose coordinator stood still for too long come back at once, and nobody is lost', async () => {
  await using cluster = await ChaosCluster.start({ agents: [], times: patient });
  const agents = await cluster.startLightAgents(many);
  cluster.coordinator.signal('SIGSTOP');
  // An agent gives its connection up after 20 s without an answer.
  const gone = (): number => agents.events('agent.disconnected').length;
  await until('every agent has given up', () => gone() >= many || undefined, gone, 90_000);
  cluster.coordinator.signal('SIGCONT');
  const resumedMs = Date.now();
  await cluster.untilReady(many, 60_000);
  holdTo(10_000, `${many} agents back after a stall of 20 s`, Date.now() - resumedMs);
  expect(cluster.coordinator.events('agent.lost')).toEqual([]);
  await cluster.leaksNothing();
});

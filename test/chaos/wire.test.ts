/** The whole list of what our fault proxy can do, between agents and coordinator and between client and coordinator. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pending } from '../pending.ts';
import { ChaosCluster, expected, shortTimes } from './chaos-cluster.ts';
import { FaultProxy } from './fault-proxy.ts';
import { holdTo } from './figures.ts';
import { work } from './work.ts';

interface WireFault {
  readonly name: string;
  /** Happens while a job runs. What it leaves is mended when the job is done. */
  readonly strike: (proxy: FaultProxy) => Promise<void> | void;
}

const faults: readonly WireFault[] = [
  { name: '100 ms of delay', strike: (proxy) => proxy.setBoth({ delayMs: 100 }) },
  { name: 'jitter of 80 ms', strike: (proxy) => proxy.setBoth({ jitterMs: 80 }) },
  { name: 'pieces of 7 bytes', strike: (proxy) => proxy.setBoth({ sliceBytes: 7 }) },
  { name: '64 KiB/s', strike: (proxy) => proxy.setBoth({ bytesPerSecond: 65_536 }) },
  {
    name: 'a stall of 1.2 s both ways',
    strike: (proxy) => stall(proxy, { toServer: { stalled: true }, toClient: { stalled: true } }),
  },
  {
    name: 'a stall of 1.2 s towards the coordinator',
    strike: (proxy) => stall(proxy, { toServer: { stalled: true } }),
  },
  {
    name: 'a stall of 1.2 s away from it',
    strike: (proxy) => stall(proxy, { toClient: { stalled: true } }),
  },
  {
    name: 'three resets',
    strike: async (proxy) => {
      for (let resets = 0; resets < 3; resets++) {
        proxy.reset();
        await sleep(250);
      }
    },
  },
  {
    name: 'a reset in the middle of a message, each way',
    strike: async (proxy) => {
      proxy.set({ toServer: { resetAfterBytes: 1_000 } });
      await sleep(200);
      proxy.set({ toClient: { resetAfterBytes: 1_000 } });
      await sleep(200);
      proxy.mend();
    },
  },
  {
    name: 'connections refused for half a second',
    strike: async (proxy) => {
      proxy.refuse();
      proxy.reset();
      await sleep(500);
      proxy.mend();
    },
  },
  {
    name: 'a connection in which only the coordinator believes',
    strike: (proxy) => proxy.halfOpen('server'),
  },
];

/** Without a fault the job takes about a second. */
const jobWithinMs = 20_000;

async function stall(proxy: FaultProxy, faulty: Parameters<FaultProxy['set']>[0]): Promise<void> {
  proxy.set(faulty);
  await sleep(1_200);
  proxy.mend();
}

type Side = 'agents' | 'client';

/** One cluster for the whole list: what a fault leaves behind would be the next one's to suffer. */
test.concurrent.each<Side>(['agents', 'client'])(
  'whatever the network does to the %s, the results are those of a loop',
  async (side) => {
    // Whoever loses its connection too often is set aside, which is another scenario.
    const times = { scheduling: { flapSessions: 1_000 } };
    await using cluster = await ChaosCluster.start({ agents: [], times });
    await using proxy = await FaultProxy.to(cluster.address, { seed: 20 });
    const join = side === 'agents' ? proxy.address : cluster.address;
    await Promise.all(['one', 'two'].map((name) => cluster.startAgent(name, { join })));
    const pool = await cluster.connect({}, side === 'client' ? proxy.address : cluster.address);
    const orders = cluster.orders(160, 15, { ballast: 'x'.repeat(200) });
    let ran = 0;
    for (const { name, strike } of faults) {
      const fromMs = performance.now();
      const results = pending(pool.map(work, orders));
      await cluster.started(ran + 20);
      await strike(proxy);
      expect(await results, name).toEqual(expected(orders));
      holdTo(jobWithinMs, `${side}: ${name}`, performance.now() - fromMs);
      proxy.mend();
      await cluster.untilReady(2);
      ran = cluster.book.executions().length;
    }
    expect(cluster.coordinator.events('agent.lost')).toEqual([]);
    // The coordinator would find out by itself, with keepalive, after 40 s.
    proxy.tell();
    await cluster.leaksNothing();
  },
);

test.concurrent('G18: an agent that believes in a connection that is gone: others do its work, and it comes back', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['heir'], times: shortTimes });
  await using proxy = await FaultProxy.to(cluster.address);
  await cluster.startAgent('believer', { join: proxy.address });
  const pool = await cluster.connect();
  const orders = cluster.orders(100, 40);
  const results = pending(pool.map(work, orders));
  await cluster.started(12);
  proxy.halfOpen('client');
  const fromMs = Date.now();
  expect(await results).toEqual(expected(orders));
  holdTo(10_000, 'an agent half open, the job is done', Date.now() - fromMs);
  expect(await cluster.coordinator.event('agent.lost', 30_000)).toMatchObject({ agent: 'believer' });
  expect(cluster.coordinator.events('agent.lost')).toHaveLength(1);
  await cluster.coordinator.event(
    'agent.joined',
    90_000,
    ({ agent, time }) => agent === 'believer' && time > fromMs,
  );
  holdTo(25_000, 'an agent half open, it is back', Date.now() - fromMs);
  await cluster.leaksNothing();
});

test.concurrent('G18: a client that believes in a connection that is gone notices in time, and misses nothing', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['one', 'two'] });
  await using proxy = await FaultProxy.to(cluster.address);
  const pool = await cluster.connect({}, proxy.address);
  const orders = cluster.orders(100, 40);
  const results = pending(pool.map(work, orders));
  await cluster.started(12);
  proxy.halfOpen('client');
  const fromMs = Date.now();
  expect(await results).toEqual(expected(orders));
  holdTo(32_000, 'a client half open, the job is done', Date.now() - fromMs);
  expect(cluster.book.starts(orders.length)).toEqual(orders.map(() => 1));
  await cluster.leaksNothing();
});

/** Packets that get lost without a word, on a network of the kernel's own making. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ChaosCluster, expected } from './chaos-cluster.ts';
import { holdTo } from './figures.ts';
import { type Host, Network } from './network.ts';
import type { Logged, Service } from './service.ts';

const missing = await Network.missing();
if (missing !== undefined) {
  const loud = `NO NETWORK NAMESPACES: partitions are not tested here, for want of ${missing}. REQUIRE_NETNS=1 makes this an error.`;
  if (process.env['REQUIRE_NETNS'] === '1') throw new Error(loud);
  console.warn(loud);
}

/** Two agents and a client, each on a host of its own, and a job that is under way. */
class Partitioned implements AsyncDisposable {
  readonly network: Network;
  readonly cluster: ChaosCluster;
  readonly victim: Host;
  readonly clientHost: Host;
  readonly client: Service;
  readonly #count: number;

  private constructor(
    network: Network,
    cluster: ChaosCluster,
    hosts: readonly Host[],
    count: number,
    ms: number,
  ) {
    this.network = network;
    this.cluster = cluster;
    [this.victim, , this.clientHost] = hosts as [Host, Host, Host];
    this.#count = count;
    this.client = cluster.clientOn(this.clientHost, { count, ms });
  }

  /** So many items that the job is not over when the network is cut, which takes a second where the machine is busy. */
  static async start(count: number, ms: number): Promise<Partitioned> {
    const network = await Network.create();
    const hosts = [
      await network.addHost('victim'),
      await network.addHost('heir'),
      await network.addHost('client'),
    ];
    const cluster = await ChaosCluster.start({ agents: [], network });
    const [victim, heir] = hosts as [Host, Host, Host];
    await Promise.all([
      cluster.startAgentOn(victim, 'victim'),
      cluster.startAgentOn(heir, 'heir', { processes: 4 }),
    ]);
    const partitioned = new Partitioned(network, cluster, hosts, count, ms);
    await Promise.all([cluster.started(20), cluster.started(3, 'victim')]);
    return partitioned;
  }

  /** The client has ended and has the results of a plain loop. */
  async succeeds(): Promise<void> {
    expect(await this.client.ended, this.client.story()).toBe(0);
    expect(JSON.parse(this.client.stdout)).toEqual(expected(this.cluster.orders(this.#count, 0)));
  }

  /** When the last of the items that the victim had begun and not finished was begun elsewhere. */
  lastHeirMs(cutMs: number): number {
    const executions = this.cluster.book.executions();
    const begun = new Set(executions.filter(({ agent }) => agent === 'victim').map(({ item }) => item));
    const again = executions.filter(
      ({ agent, item, atMs }) => agent === 'heir' && begun.has(item) && atMs > cutMs,
    );
    expect(again.length).toBeGreaterThan(0);
    return Math.max(...again.map(({ atMs }) => atMs));
  }

  /** It joins again. TCP tries again ever more rarely, and the agent gives a connection up after 20 s. */
  async comesBack(sinceMs: number): Promise<void> {
    const isNew = ({ agent, time }: Logged): boolean => agent === 'victim' && time > sinceMs;
    await this.cluster.coordinator.event('agent.joined', 90_000, isNew);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
  }
}

describe.skipIf(missing !== undefined)('partitions', () => {
  test.concurrent('an agent that goes silent: its work runs elsewhere within 10.5 s, and it comes back', async () => {
    await using world = await Partitioned.start(400, 60);
    const { cluster, network, victim } = world;
    await network.cut(victim, 'both');
    const cutMs = Date.now();
    await world.succeeds();
    holdTo(
      10_500,
      'a silent partition, all items of that agent run elsewhere',
      world.lastHeirMs(cutMs) - cutMs,
    );
    expect(await cluster.coordinator.event('agent.lost', 30_000)).toMatchObject({ agent: 'victim' });
    expect(cluster.coordinator.events('agent.lost')).toHaveLength(1);
    await network.mend(victim, 'both');
    await world.comesBack(cutMs);
    await cluster.leaksNothing();
  });

  test.concurrent('a partition that is over within the lease costs only time', async () => {
    const count = 400;
    await using world = await Partitioned.start(count, 60);
    const { cluster, clientHost, network, victim } = world;
    const part = async (forMs: number): Promise<void> => {
      await Promise.all([network.cut(victim, 'both'), network.cut(clientHost, 'both')]);
      await sleep(forMs);
      await Promise.all([network.mend(victim, 'both'), network.mend(clientHost, 'both')]);
    };
    await part(1_000);
    const before = cluster.book.executions().length;
    // More of them, where so many are left: to cut and mend a network takes a busy machine as long as much of the job.
    await cluster.started(Math.min(before + 40, count));
    expect(Math.max(...cluster.book.starts(count))).toBe(1);
    // Longer than a dispatch may go unconfirmed, which is 5 s until TCP tries again: only what was on its way runs twice.
    await part(4_000);
    await world.succeeds();
    expect(cluster.coordinator.events('agent.lost')).toEqual([]);
    const unconfirmed = cluster.coordinator.events('attempt.unconfirmed').length;
    const twice = cluster.book.starts(count).filter((count) => count > 1).length;
    if (unconfirmed === 0) expect(twice).toBe(0);
    await cluster.leaksNothing();
  });

  test.concurrent('packets from an agent get lost, those to it do not: its work runs elsewhere within 10.5 s', async () => {
    await using world = await Partitioned.start(400, 60);
    const { cluster, network, victim } = world;
    await network.cut(victim, 'from');
    const cutMs = Date.now();
    await world.succeeds();
    expect(await cluster.coordinator.event('agent.lost', 30_000)).toMatchObject({ agent: 'victim' });
    expect(cluster.coordinator.events('agent.lost')).toHaveLength(1);
    const tookMs = world.lastHeirMs(cutMs) - cutMs;
    holdTo(10_500, 'packets from an agent lost, its items run elsewhere', tookMs);
    await network.mend(victim, 'from');
    await world.comesBack(cutMs);
    await cluster.leaksNothing();
  });

  test.concurrent('packets to an agent get lost, those from it do not: what it never heard of runs elsewhere', async () => {
    await using world = await Partitioned.start(200, 60);
    const { cluster, network, victim } = world;
    await network.cut(victim, 'to');
    const cutMs = Date.now();
    await world.succeeds();
    const unheard = cluster.coordinator.events('attempt.unconfirmed');
    const lost = cluster.coordinator.events('agent.lost');
    expect(unheard.length + lost.length).toBeGreaterThan(0);
    holdTo(15_000, 'packets to an agent lost, the job is done', Date.now() - cutMs);
    await network.mend(victim, 'to');
    if (lost.length > 0) await world.comesBack(cutMs);
    await cluster.leaksNothing();
  });
});

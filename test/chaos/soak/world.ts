import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ChaosCluster } from '../chaos-cluster.ts';
import type { Cut, Host } from '../network.ts';
import { Network } from '../network.ts';
import { Service } from '../service.ts';
import type { ClientOrder } from './client-main.ts';
import { Hub } from './hub.ts';
import { type AgentName, agentNames, type Target } from './schedule.ts';

const processesPerAgent = 2;
export const slots: number = agentNames.length * processesPerAgent;

/** An agent may have to wait for a coordinator that stands still, for a place under its own name, and for a busy machine. */
const backWithinMs = 90_000;

/**
 * A coordinator, three agents and a client, each on a host of its own, with a fault proxy on the way to the coordinator.
 * Without the right to make networks all are on the loopback interface, and where packets would be dropped the proxy
 * holds bytes back.
 */
export class SoakWorld implements AsyncDisposable {
  readonly cluster: ChaosCluster;
  readonly hub: Hub;
  readonly #network: Network | undefined;
  readonly #hosts: ReadonlyMap<string, Host>;
  #client: Service | undefined;
  /** What went wrong that no fault accounts for. */
  readonly complaints: string[] = [];

  private constructor(
    cluster: ChaosCluster,
    hub: Hub,
    network: Network | undefined,
    hosts: ReadonlyMap<string, Host>,
  ) {
    this.cluster = cluster;
    this.hub = hub;
    this.#network = network;
    this.#hosts = hosts;
  }

  static async start(seed: number): Promise<SoakWorld> {
    await using stack = new AsyncDisposableStack();
    const isMissing = (await Network.missing()) !== undefined;
    const network = isMissing ? undefined : stack.use(await Network.create());
    const connecting = [...agentNames, 'client'];
    const hosts = new Map<string, Host>();
    for (const name of network === undefined ? [] : connecting)
      hosts.set(name, await (network as Network).addHost(name));
    const cluster = stack.use(
      await ChaosCluster.start({ agents: [], ...(network === undefined ? {} : { network }) }),
    );
    const address = `127.0.0.1:${cluster.address.split(':')[1]}`;
    const listen = network === undefined ? '127.0.0.1' : '0.0.0.0';
    const order = { address, for: connecting, listen, seed };
    const hub = stack.use(await Hub.start(order, network?.hub.within ?? []));
    const world = new SoakWorld(cluster, hub, network, hosts);
    await Promise.all(agentNames.map((name) => world.startAgent(name)));
    stack.move();
    return world;
  }

  /** Whether packets can be dropped. */
  get hasNetwork(): boolean {
    return this.#network !== undefined;
  }

  get client(): Service {
    if (this.#client === undefined) throw new Error('There is no client.');
    return this.#client;
  }

  /** Resolves when it is connected. */
  async startClient(order: Omit<ClientOrder, 'address' | 'book' | 'slots'>): Promise<void> {
    const whole: ClientOrder = {
      ...order,
      address: this.#addressFor('client'),
      book: this.cluster.book.path,
      slots,
    };
    this.#client = Service.start({
      module: fileURLToPath(new URL('client-main.ts', import.meta.url)),
      args: [JSON.stringify(whole)],
      env: this.cluster.env,
      within: this.#hosts.get('client')?.within ?? [],
    });
    await this.#client.event('client.connected', 30_000);
  }

  /** Starts an agent, the first time or again, and waits until it has joined. */
  async startAgent(name: AgentName): Promise<void> {
    const within = this.#hosts.get(name)?.within ?? [];
    const options = { join: this.#addressFor(name), processes: processesPerAgent, within };
    try {
      await this.cluster.startAgent(name, options);
    } catch {
      // That was 20 s.
      await this.cluster.agent(name).event('agent.joined', backWithinMs - 20_000);
    }
  }

  /** The process of a target. */
  processOf(target: Target): Service {
    if (target === 'client') return this.client;
    return target === 'coordinator' ? this.cluster.coordinator : this.cluster.agent(target);
  }

  /** Packets of an agent's or the client's host get lost. */
  async cut(target: Target, which: Cut): Promise<void> {
    const host = this.#hosts.get(target);
    if (this.#network !== undefined && host !== undefined) return this.#network.cut(host, which);
    const toServer = { stalled: which !== 'to' };
    const toClient = { stalled: which !== 'from' };
    await this.hub.ask({ ask: 'set', of: target, faults: { toServer, toClient } });
  }

  /** They arrive again. */
  async mend(target: Target, which: Cut): Promise<void> {
    const host = this.#hosts.get(target);
    if (this.#network !== undefined && host !== undefined) return this.#network.mend(host, which);
    await this.hub.ask({ ask: 'mend', of: target });
  }

  /** When all faults are over: waits until every agent is there and takes work. */
  async untilWell(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const seen = await this.hub.status();
      if (seen.agents === agentNames.length && seen.slots === slots) return;
      if (performance.now() > deadline)
        throw new Error(`${seen.agents} agents with ${seen.slots} slots are there when all is well.`);
      await sleep(200);
    }
  }

  /** Ends all in good order, and rejects when anything is left of half an hour of faults. */
  async leavesNothing(): Promise<void> {
    // A connection of which only one side knows would be closed by keepalive, later.
    await this.hub.ask({ ask: 'tell' });
    await this.hub.ask({ ask: 'hangUp' });
    await this.cluster.leaksNothing();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await this.hub[Symbol.asyncDispose]();
    await this.#network?.[Symbol.asyncDispose]();
  }

  #addressFor(name: string): string {
    const host = this.#hosts.get(name);
    const hub = host === undefined ? '127.0.0.1' : this.#network?.hubOf(host);
    return `${hub}:${this.hub.portFor(name)}`;
  }
}

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ClusterClient } from '@shoal/client';
import type { CoordinatorConfig } from '@shoal/coordinator';
import { AgentState, type GetStatusResponse } from '@shoal/protocol';
import { type ConnectOptions, connect, type MapPool } from 'shoal';
import { allGone, marked, until } from '../cli/command.testkit.ts';
import { slack } from '../slack.ts';
import { Book } from './book.ts';
import type { Host, Network } from './network.ts';
import { socketsOf } from './process-table.ts';
import { Service, type Start } from './service.ts';
import { type Order, outcomeOf } from './work.ts';

/** Times five times shorter than the defaults, for scenarios in which those are not the point. */
export const shortTimes = {
  heartbeatMs: 400,
  leaseMs: 2_000,
  ephemeralGraceMs: 1_500,
  scheduling: { graceMs: 1_000, confirmMs: 1_200, selfFenceMs: 1_600, quarantineMs: 2_000 },
} satisfies CoordinatorConfig;

/** For hundreds of agents on one small machine, which may need longer than 3 s to take all of them back. */
export const patient = { scheduling: { graceMs: 10_000 } } satisfies CoordinatorConfig;

/** What a cluster is started with. */
export interface ChaosOptions {
  /** Names of the agents that are there from the start. */
  readonly agents: readonly string[];
  /** Of each agent. Default 2. */
  readonly processes?: number;
  /** Other times than the defaults: the coordinator is no `shoal coordinator` then, but the same code in a process. */
  readonly times?: Partial<CoordinatorConfig>;
  /** Arguments for node in every process of the cluster but the children. */
  readonly execArgv?: readonly string[];
  /** A network in whose hub the coordinator runs. Agents and clients that are to reach it run on its hosts. */
  readonly network?: Network;
}

/** Where and how an agent runs. */
export interface AgentOptions {
  /** Default: the coordinator itself. A test may put a proxy between. */
  readonly join?: string;
  readonly processes?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly within?: Start['within'];
}

/** What a client process maps, and how it reaches the cluster. */
export interface ClientOptions {
  readonly count: number;
  readonly ms: number;
  readonly address?: string;
  readonly within?: Start['within'];
}

/** G28: so long after a job's end nothing of it may be left. */
const cleanWithinMs = 5_000 * slack();
/** On a network that was cut a socket's other end may be gone without a word: keepalive asks after 20 s, and gives up 20 s later. */
const noSocketsWithinMs = 90_000;

/**
 * A coordinator, agents and clients as processes of this machine, each started as users start it. Leaving the scope ends
 * all of them and removes what they left; `leaksNothing` is how a test says that there was nothing to remove.
 */
export class ChaosCluster implements AsyncDisposable {
  readonly #mark = `chaos-${process.pid}-${Math.random().toString(36).slice(2)}`;
  readonly #folder: string;
  readonly #times: Partial<CoordinatorConfig> | undefined;
  readonly #processes: number;
  readonly #network: Network | undefined;
  readonly #execArgv: readonly string[];
  readonly agents: Map<string, Service> = new Map();
  readonly book: Book;
  #coordinator: Service | undefined;
  #address = '';
  #client: ClusterClient | undefined;
  readonly #pools: MapPool[] = [];
  /** Agents that share a process. */
  #lightAgents = 0;
  /** Agents that were killed could not remove their folder. */
  readonly #killed = new Set<number>();

  private constructor({ execArgv = [], network, processes = 2, times }: ChaosOptions) {
    this.#network = network;
    this.#execArgv = execArgv;
    this.#folder = mkdtempSync(join(tmpdir(), 'shoal-chaos-'));
    this.#times = times;
    this.#processes = processes;
    this.book = new Book(join(this.#folder, 'book'));
  }

  static async start(options: ChaosOptions): Promise<ChaosCluster> {
    const cluster = new ChaosCluster(options);
    try {
      await cluster.startCoordinator();
      await Promise.all(options.agents.map((name) => cluster.startAgent(name)));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get address(): string {
    return this.#address;
  }

  get coordinator(): Service {
    if (this.#coordinator === undefined) throw new Error('There is no coordinator.');
    return this.#coordinator;
  }

  agent(name: string): Service {
    const agent = this.agents.get(name);
    if (agent === undefined) throw new Error(`There is no agent ${name}.`);
    return agent;
  }

  /** Starts a coordinator; the next one listens where the first one did. */
  async startCoordinator(): Promise<void> {
    const anywhere = this.#network === undefined ? '127.0.0.1:0' : '0.0.0.0:7300';
    const listen = this.#address === '' ? anywhere : this.#address;
    const start = { env: this.env, within: this.#network?.hub.within ?? [] };
    const insecure = this.#network === undefined ? [] : ['--insecure'];
    const service = Service.start(
      this.#times === undefined
        ? { ...start, args: ['coordinator', '--listen', listen, ...insecure] }
        : {
            ...start,
            module: fileURLToPath(new URL('coordinator-main.ts', import.meta.url)),
            args: [JSON.stringify({ ...this.#times, listen, insecure: insecure.length > 0 })],
          },
    );
    this.#coordinator = service;
    this.#address = await until(
      'the coordinator listens',
      () => /listening on (\S+)/.exec(service.stdout)?.[1],
      () => service.story(),
    );
  }

  /** Starts an agent and waits until it has joined. One that is gone makes way for its successor. */
  async startAgent(name: string, options: AgentOptions = {}): Promise<Service> {
    const { env, join: address = this.address, processes = this.#processes, within = [] } = options;
    const service = Service.start({
      args: ['agent', '--join', address, '--name', name, '--processes', String(processes), '--insecure'],
      env: { ...this.env, ...env },
      within,
    });
    this.agents.set(name, service);
    await service.event('agent.joined', 60_000);
    return service;
  }

  /** Many agents in one process, each with a slot; waits until all have joined. */
  async startLightAgents(count: number, join: string = this.address): Promise<Service> {
    const service = Service.start({
      module: fileURLToPath(new URL('agents-main.ts', import.meta.url)),
      args: [join, String(count)],
      env: this.env,
    });
    const joined = (): number => service.events('agent.joined').length;
    await until(`${count} agents have joined`, () => joined() === count || undefined, joined, 120_000);
    this.agents.set(`${count} light agents`, service);
    this.#lightAgents += count;
    return service;
  }

  /** An agent on a host of the network. */
  async startAgentOn(host: Host, name: string, options: AgentOptions = {}): Promise<Service> {
    return this.startAgent(name, { join: this.#reachedFrom(host), within: host.within, ...options });
  }

  /** A client on a host of the network. */
  clientOn(host: Host, work: Pick<ClientOptions, 'count' | 'ms'>): Service {
    return this.client({ ...work, address: this.#reachedFrom(host), within: host.within });
  }

  /** `kill -9` of an agent. */
  async killAgent(name: string): Promise<void> {
    const agent = this.agent(name);
    this.#killed.add(agent.pid);
    await agent.kill();
  }

  /** A pool as users open it; it ends with the cluster. */
  async connect(options: ConnectOptions = {}, address: string = this.address): Promise<MapPool> {
    // The mark is how a child that nobody knows any more is found.
    const { PATH = '' } = process.env;
    const pool = await connect(address, { env: { PATH, SHOAL_TEST_MARK: this.#mark }, ...options });
    this.#pools.push(pool);
    return pool;
  }

  /** A client that maps `work`, as a process of its own; its results come on stdout, as JSON. */
  client({ count, ms, address = this.address, within = [] }: ClientOptions): Service {
    return Service.start({
      module: fileURLToPath(new URL('client-main.ts', import.meta.url)),
      args: [address, this.book.path, String(count), String(ms)],
      env: this.env,
      within,
    });
  }

  /** What an operator can ask. */
  async operator(): Promise<ClusterClient> {
    this.#client ??= await ClusterClient.open(this.address);
    return this.#client;
  }

  /** Waits until so many agents are connected and take work. */
  async untilReady(count: number, withinMs: number = 60_000): Promise<void> {
    const operator = await this.operator();
    const deadline = performance.now() + withinMs;
    for (;;) {
      const states = (await operator.agents()).map(({ state }) => state);
      const ready = states.filter((state) => state === AgentState.READY).length;
      if (ready === count && states.length === count) return;
      if (performance.now() > deadline)
        throw new Error(`${ready} of ${states.length} agents are ready, not ${count}.`);
      await sleep(50);
    }
  }

  /** Items that take so long each, and enter themselves into the book. */
  orders(count: number, ms: number, rest: Partial<Order> = {}): Order[] {
    return Array.from({ length: count }, (_, item) => ({ item, ms, book: this.book.path, ...rest }));
  }

  /** Waits until so many items have been started, by one agent or by all of them together. */
  async started(count: number, by?: string): Promise<void> {
    const seen = (): number =>
      this.book.executions().filter(({ agent }) => by === undefined || agent === by).length;
    await until(`${count} items have started`, () => seen() >= count || undefined, seen);
  }

  /** The environment of every process: a mark to find it by, and a folder for what it leaves. */
  get env(): Record<string, string> {
    return {
      SHOAL_TEST_MARK: this.#mark,
      SHOAL_LOG_LEVEL: 'debug',
      ...(this.#execArgv.length === 0 ? {} : { NODE_OPTIONS: this.#execArgv.join(' ') }),
      TMPDIR: this.#folder,
      // Every service compiles the same sources; reading what an earlier one compiled saves half of its start.
      NODE_COMPILE_CACHE: fileURLToPath(new URL('../../.build/chaos-cache', import.meta.url)),
    };
  }

  /**
   * Ends all that is left in good order and finds out whether it leaves anything: slots, bytes held, processes,
   * sockets, files.
   */
  async leaksNothing(): Promise<void> {
    const living = [...this.agents.values()].filter(({ alive }) => alive);
    await this.#noWork();
    await Promise.all(this.#pools.splice(0).map((pool) => pool.terminate()));
    await this.#client?.[Symbol.asyncDispose]();
    this.#client = undefined;
    await this.#noChildren([this.coordinator, ...living]);
    await this.#noSockets(living);
    await this.#noFiles(living);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#pools.map((pool) => pool.terminate()));
    await this.#client?.[Symbol.asyncDispose]();
    for (const line of marked(this.#mark)) kill(Number.parseInt(line, 10));
    await allGone(this.#mark);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #reachedFrom(host: Host): string {
    return `${this.#network?.hubOf(host) ?? '127.0.0.1'}:${this.#address.split(':')[1]}`;
  }

  async #noWork(): Promise<void> {
    const deadline = performance.now() + cleanWithinMs;
    for (;;) {
      const { activeJobs, busySlots, heldBytes, queuedItems, runningItems, spilledBytes } =
        await this.#status();
      const left = { activeJobs, busySlots, heldBytes, queuedItems, runningItems, spilledBytes };
      if (Object.values(left).every((count) => count === 0)) return;
      if (performance.now() > deadline) throw new Error(`Still busy: ${JSON.stringify(left)}`);
      await sleep(50);
    }
  }

  async #status(): Promise<GetStatusResponse> {
    if (this.#network === undefined) return (await this.operator()).status();
    // This process is on no host of that network.
    const address = `127.0.0.1:${this.#address.split(':')[1]}`;
    const args = ['status', '--address', address, '--output-format', 'json'];
    const service = Service.start({ args, env: this.env, within: this.#network.hub.within });
    await service.ended;
    return (JSON.parse(service.stdout) as { cluster: GetStatusResponse }).cluster;
  }

  /** Of a client that is gone no child may be left, nor what its tasks started: only the services themselves. */
  async #noChildren(services: readonly Service[]): Promise<void> {
    const known = new Set(services.map(({ pid }) => pid));
    const strangers = (): string[] =>
      marked(this.#mark).filter((line) => !known.has(Number.parseInt(line, 10)));
    await until(
      'no child and no grandchild is left',
      () => strangers().length === 0 || undefined,
      () => strangers().join('\n'),
      cleanWithinMs,
    );
  }

  async #noSockets(agents: readonly Service[]): Promise<void> {
    const seen = (): unknown => ({
      coordinator: socketsOf(this.coordinator.pid),
      agents: agents.map(({ pid }) => socketsOf(pid)),
    });
    await until(
      'each agent has one connection, and nobody else has any',
      () => {
        const light = this.#lightAgents === 0 ? 0 : this.#lightAgents - 1;
        if (socketsOf(this.coordinator.pid).connections !== agents.length + light) return undefined;
        // Standard output and error towards this test, and the pipe to the reaper.
        const isClean = ({ pid }: Service): boolean => {
          const { connections, others } = socketsOf(pid);
          return (connections === 1 || connections === this.#lightAgents) && others <= 3;
        };
        return agents.every(isClean) || undefined;
      },
      () => JSON.stringify(seen()),
      this.#network === undefined ? cleanWithinMs : noSocketsWithinMs,
    );
  }

  async #noFiles(agents: readonly Service[]): Promise<void> {
    for (const agent of agents) agent.signal('SIGTERM');
    const codes = await Promise.all(agents.map(({ ended }) => ended));
    this.coordinator.signal('SIGTERM');
    codes.push(await this.coordinator.ended);
    if (codes.some((code) => code !== 0)) throw new Error(`Exit codes ${codes.join(', ')} instead of 0.`);
    const left = readdirSync(this.#folder).filter(
      (name) => name !== 'book' && ![...this.#killed].some((pid) => name.includes(`-${pid}-`)),
    );
    if (left.length > 0) throw new Error(`Left in the folder for temporary files: ${left.join(', ')}`);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** What a plain loop makes of the same items. */
export const expected = (orders: readonly Order[]): string[] => orders.map(outcomeOf);

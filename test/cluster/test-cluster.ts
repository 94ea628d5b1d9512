import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { type Coordinator, type CoordinatorConfig, startCoordinator } from '@shoal/coordinator';
import { type Agent, type AgentConfig, startAgent } from '@shoal/node-agent';
import { DialCredentials, type DialMaterial } from '@shoal/protocol';
import { pino } from 'pino';
import { expectNoSecret } from '../canary.ts';
import { RawClient } from './raw-client.ts';

/** Functions that the tests map. Their items say what they do. */
export const source = `
import { spawnSync } from 'node:child_process';
import { appendFileSync, writeSync } from 'node:fs';
console.log('loaded');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const inc = (x) => x + 1;
export const slow = async ([x, ms]) => { await sleep(ms); return x + 1; };
export const logged = async ([x, ms, file]) => {
  appendFileSync(file, x + '\\n');
  await sleep(ms);
  return x + 1;
};
export const picky = (x) => { if (x === 3) throw new TypeError('no threes'); return x; };
export const mean = (list) => list.reduce((sum, each) => sum + each, 0) / list.length;
export const deadly = (x) => { if (x === 3) process.kill(process.pid, 'SIGKILL'); return x; };
export const chatty = (x) => { console.log('item', x); return x; };
export const wordy = async (lines) => {
  for (let at = 0; at < lines; at++) {
    console.log(at, 'x'.repeat(50));
    if (at % 50 === 0) await sleep(0);
  }
};
export const native = (x) => {
  writeSync(1, 'native ' + x + '\\n');
  spawnSync('echo', ['grandchild', x], { stdio: 'inherit' });
};
export const tardy = (x) => void setTimeout(() => { throw new Error('too late'); }, 50);
export const big = (bytes) => 'x'.repeat(bytes);
export const wail = (bytes) => { throw Object.assign(new Error('no'), { detail: 'x'.repeat(bytes) }); };
export const echo = (x) => x;
export const length = (x) => x.length;
`;

/** What happened, newest last, as the coordinator and its agents logged it. */
export interface Logged {
  readonly event: string;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** A coordinator on a free port, agents in this process or as processes of their own, and a raw client. */
export class TestCluster {
  readonly logged: Logged[] = [];
  readonly #log = pino(
    { level: 'debug' },
    { write: (line: string) => void this.logged.push(JSON.parse(line)) },
  );
  readonly #agents: Agent[] = [];
  #named = 0;
  readonly #processes: ChildProcess[] = [];
  readonly #clients: RawClient[] = [];
  /** Tokens that were shown to it. */
  readonly #secrets: string[] = [];
  coordinator!: Coordinator;
  client!: RawClient;
  sha256 = '';

  async start(config: CoordinatorConfig = {}): Promise<void> {
    await this.listen(config);
    this.client = this.connect();
    this.sha256 = await this.client.putBundle(source);
  }

  /** A coordinator and nothing else. */
  async listen(config: CoordinatorConfig = {}): Promise<void> {
    this.coordinator = await startCoordinator({ listen: '127.0.0.1:0', log: this.#log, ...config });
  }

  /** A client that shows these certificates, or this token, or nothing. */
  connect(tls?: DialMaterial, token?: string): RawClient {
    if (token !== undefined && token.length > 30) this.#secrets.push(token);
    const channel = new DialCredentials({ tls: tls && (() => tls), token });
    const client = new RawClient(this.coordinator.address, channel);
    this.#clients.push(client);
    return client;
  }

  /** An agent in this process. */
  async agent(config: Partial<AgentConfig> = {}): Promise<Agent> {
    this.#named += 1;
    const agent = await startAgent({
      join: config.join ?? this.coordinator.address,
      name: `agent-${this.#named}`,
      processes: 2,
      log: this.#log,
      ...config,
    });
    this.#agents.push(agent);
    await agent.joined;
    return agent;
  }

  /** An agent as a process of its own, which has more open where `stdio` says so. */
  async agentProcess(
    name: string,
    processes = 2,
    more: Partial<AgentConfig> = {},
    stdio: readonly (number | 'ignore')[] = [],
  ): Promise<ChildProcess> {
    const main = fileURLToPath(new URL('agent-main.ts', import.meta.url));
    const config = JSON.stringify({ join: this.coordinator.address, name, processes, ...more });
    const child = spawn(process.execPath, ['--conditions=@shoal/source', main, config], {
      stdio: ['ignore', 'pipe', 'ignore', ...stdio],
    });
    this.#processes.push(child);
    await once(child.stdout ?? child, 'data');
    return child;
  }

  /** The events of one name, as far as they came. */
  events(name: string): Logged[] {
    return this.logged.filter(({ event }) => event === name);
  }

  /** Ends all of it. Throws where a token has been logged. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#agents.map((agent) => agent.close({ drain: false })));
    for (const child of this.#processes) child.kill('SIGKILL');
    await this.coordinator?.close({ drain: false });
    if (this.#secrets.length > 0) expectNoSecret('a log', JSON.stringify(this.logged), this.#secrets);
  }
}

/**
 * Looks until what is seen holds, at most `ms`; then fails and shows what was seen last. Without `holds`: until anything is
 * seen, and more than `false`.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean = (seen) => seen !== undefined && seen !== false,
  ms = 60_000,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen as Exclude<T, undefined | false>;
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${ms} ms. Last seen: ${inspect(seen)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

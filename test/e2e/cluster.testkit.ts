import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  GenericContainer,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { buildImage } from '../../docker/image.ts';
import { canary, canaryEnvironment, expectNoSecret } from '../canary.ts';

const port = 7300;
const startsWithinMs = 120_000;
const pauseTriesMax = 20;
/**
 * Nothing instead of the image's own check, which test/e2e/compose.test.ts sees: every five seconds it takes a third of
 * a second of CPU, which is all that an agent with a twentieth of a CPU has.
 */
const noHealthCheck = { test: ['CMD', 'true'] as ['CMD', string], interval: 3_600_000 };
const root = fileURLToPath(new URL('../..', import.meta.url));

/** One line of the book that the task functions keep: an item started, in this container. */
export interface Execution {
  readonly item: number;
  readonly host: string;
}

/** A coordinator and its agents, each a container on a network of their own. The client is outside. */
export class ContainerCluster {
  /** Where a client outside the network finds the coordinator. */
  readonly address: string;
  /** A folder with the certificate of its admin. */
  readonly tlsDir: string;
  readonly #network: StartedNetwork;
  readonly #coordinator: StartedTestContainer;
  readonly #agents = new Map<string, StartedTestContainer>();
  readonly #book: string;
  /** What nobody here may ever show. */
  readonly #secrets: string[] = [canary];

  private constructor(
    network: StartedNetwork,
    coordinator: StartedTestContainer,
    book: string,
    tlsDir: string,
  ) {
    this.tlsDir = tlsDir;
    this.#network = network;
    this.#coordinator = coordinator;
    this.#book = book;
    this.address = `127.0.0.1:${coordinator.getMappedPort(port)}`;
  }

  /** Builds the image from the working tree and starts everything; resolves when every agent has joined. */
  static async start(agentNames: readonly string[]): Promise<ContainerCluster> {
    const image = await buildImage('shoal:e2e');
    const book = await mkdtemp(join(tmpdir(), 'shoal-e2e-'));
    // The containers run as another user than this test.
    await chmod(book, 0o777);
    const network = await new Network().start();
    const coordinator = await new GenericContainer(image)
      .withNetwork(network)
      .withNetworkAliases('coordinator')
      .withEnvironment({ ...canaryEnvironment, SHOAL_TLS_DIR: '/home/node/tls' })
      .withEntrypoint(['sh', '-ec'])
      .withCommand([
        `shoal certs init --name coordinator >&2; exec shoal coordinator --listen 0.0.0.0:${port}`,
      ])
      .withExposedPorts(port)
      .withHealthCheck(noHealthCheck)
      .withStartupTimeout(startsWithinMs)
      .withWaitStrategy(Wait.forLogMessage(/coordinator\.started/))
      .start();
    const tlsDir = await mkdtemp(join(tmpdir(), 'shoal-e2e-tls-'));
    for (const file of ['ca.crt', 'client.crt', 'client.key']) {
      await docker('cp', `${coordinator.getId()}:/home/node/tls/${file}`, tlsDir);
    }
    const cluster = new ContainerCluster(network, coordinator, book, tlsDir);
    await Promise.all(
      agentNames.map(async (name) => {
        const token = await docker(
          ...['exec', coordinator.getId(), 'shoal', 'token', 'create', '--name', name],
        );
        cluster.#secrets.push(token.slice(token.lastIndexOf('.') + 1));
        const agent = await new GenericContainer(image)
          .withNetwork(network)
          .withEnvironment({
            ...canaryEnvironment,
            SHOAL_ADDRESS: `coordinator:${port}`,
            SHOAL_TLS_DIR: '/home/node/tls',
            SHOAL_TOKEN: token,
          })
          .withBindMounts([{ source: book, target: '/book', mode: 'rw' }])
          .withCommand(['agent', '--join', `coordinator:${port}`, '--name', name, '--processes', '2'])
          .withHealthCheck(noHealthCheck)
          .withStartupTimeout(startsWithinMs)
          .withWaitStrategy(Wait.forLogMessage(/agent\.joined/))
          .start();
        cluster.#agents.set(name, agent);
      }),
    );
    await cluster.untilAgents((names) => agentNames.every((name) => names.includes(name)));
    return cluster;
  }

  /** What connect() needs to be let in. */
  get tls(): { readonly ca: string; readonly cert: string; readonly key: string } {
    const file = (name: string): string => join(this.tlsDir, name);
    return { ca: file('ca.crt'), cert: file('client.crt'), key: file('client.key') };
  }

  /**
   * Ends every container and the network; nothing of ours stays behind. Throws where one of them has shown a secret in all
   * that it has said, or the coordinator in what it tells those who ask how things are.
   */
  async stop(): Promise<void> {
    const said = [...(await this.#logs()), ...(await whatIsTold(this.#coordinator.getId()))];
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop({ timeout: 0 })));
    await this.#coordinator.stop({ timeout: 0 });
    await this.#network.stop();
    await rm(this.#book, { recursive: true, force: true });
    const key = await readFile(join(this.tlsDir, 'client.key'), 'utf8');
    await rm(this.tlsDir, { recursive: true, force: true });
    for (const [name, text] of said)
      expectNoSecret(name, text, [...this.#secrets, key.split('\n')[1] ?? key]);
  }

  /** All that each container has said. */
  #logs(): Promise<(readonly [string, string])[]> {
    const all = [['coordinator', this.#coordinator] as const, ...this.#agents];
    return Promise.all(
      all.map(async ([name, container]) => {
        const { stdout, stderr } = await promisify(execFile)('docker', ['logs', container.getId()], {
          maxBuffer: 2 ** 28,
        });
        return [name, stdout + stderr] as const;
      }),
    );
  }

  /** `docker kill`: the agent is gone without a word. */
  async kill(agent: string): Promise<void> {
    await docker('kill', this.#idOf(agent));
  }

  /** SIGTERM, as `docker stop` sends it, and the exit code that follows. */
  async terminate(agent: string): Promise<number> {
    await docker('kill', '--signal', 'TERM', this.#idOf(agent));
    return Number(await docker('wait', this.#idOf(agent)));
  }

  /** Freezes every process of an agent at once, as a machine that is suspended does. */
  async pause(agent: string): Promise<void> {
    // The kernel cannot always freeze what is busy ("unable to freeze"), and can a moment later.
    for (let tries = 1; ; tries += 1) {
      try {
        await docker('pause', this.#idOf(agent));
        return;
      } catch (error) {
        if (tries === pauseTriesMax) throw error;
      }
    }
  }

  async unpause(agent: string): Promise<void> {
    await docker('unpause', this.#idOf(agent));
  }

  /** What an agent's container may use from now on: of memory such as `400m`, of CPUs such as `0.2`. */
  async limit(agent: string, { cpus, memory }: { cpus?: string; memory?: string }): Promise<void> {
    const cpu = cpus === undefined ? [] : ['--cpus', cpus];
    // Without swap: what is above the limit ends by the kernel's hand.
    const ram = memory === undefined ? [] : ['--memory', memory, '--memory-swap', memory];
    await docker('update', ...cpu, ...ram, this.#idOf(agent));
  }

  async disconnect(agent: string): Promise<void> {
    await docker('network', 'disconnect', this.#network.getId(), this.#idOf(agent));
  }

  async reconnect(agent: string): Promise<void> {
    await docker('network', 'connect', this.#network.getId(), this.#idOf(agent));
  }

  /** Waits until the agents that the coordinator calls connected are as asked; says what it saw when they are not. */
  async untilAgents(satisfied: (names: readonly string[]) => boolean, withinMs = 60_000): Promise<void> {
    await this.#until(satisfied, () => this.connectedAgents(), withinMs);
  }

  /** Waits until the task functions have started so many items. */
  async untilStarted(items: number, withinMs = 60_000): Promise<void> {
    await this.#until(
      (executions) => executions.length >= items,
      () => this.executions(),
      withinMs,
    );
  }

  /** The agents that the coordinator holds a session with. */
  async connectedAgents(): Promise<string[]> {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['libs/shoal/bin/shoal.js', 'status', '--address', this.address, '--output-format', 'json'],
      { cwd: root, env: { ...process.env, SHOAL_TLS_DIR: this.tlsDir } },
    );
    const { agents } = JSON.parse(stdout) as { agents: { name: string; state: string }[] };
    return agents.filter(({ state }) => state !== 'disconnected').map(({ name }) => name);
  }

  /** Every start of an item, on whatever agent. */
  async executions(): Promise<Execution[]> {
    const text = await readFile(join(this.#book, 'executions'), 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Execution);
  }

  /** Forgets the executions of earlier tests. */
  async clearBook(): Promise<void> {
    await writeFile(join(this.#book, 'executions'), '');
    await chmod(join(this.#book, 'executions'), 0o666);
  }

  #idOf(agent: string): string {
    const container = this.#agents.get(agent);
    if (container === undefined) throw new Error(`There is no agent ${agent} here.`);
    return container.getId();
  }

  async #until<T>(satisfied: (seen: T) => boolean, look: () => Promise<T>, withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const seen = await look();
      if (satisfied(seen)) return;
      if (Date.now() > deadline)
        throw new Error(`Not within ${withinMs} ms; last seen: ${JSON.stringify(seen)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const askForMetrics = `fetch('http://127.0.0.1:8300/metrics').then(async (answer) => console.log(await answer.text()))`;

/**
 * What a coordinator in a container tells a monitor and its admin, by the name of what it is. Agents have nothing to be asked:
 * what they report is in it.
 */
export async function whatIsTold(coordinator: string): Promise<(readonly [string, string])[]> {
  const json = ['--output-format', 'json'];
  const commands = {
    metrics: ['node', '-e', askForMetrics],
    status: ['shoal', 'status', ...json],
    agents: ['shoal', 'agents', 'ls', ...json],
    doctor: ['shoal', 'doctor', ...json],
  };
  const told = Object.entries(commands).map(async ([name, command]) => {
    // Doctor ends with 1 where something is not well.
    const text = await docker('exec', coordinator, 'sh', '-c', '"$@" || true', 'sh', ...command);
    if (text === '') throw new Error(`${command.join(' ')} says nothing: no secret can be found in it`);
    return [`the coordinator's ${name}`, text] as const;
  });
  return Promise.all(told);
}

async function docker(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', args);
  return stdout.trim();
}

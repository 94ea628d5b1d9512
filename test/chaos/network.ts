import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { isAlive } from '../process-life.ts';

/** Which packets of a host get lost: those that it sends, those that it is sent, or both. */
export type Cut = 'from' | 'to' | 'both';

/** A machine of a {@link Network}: a network namespace of the kernel. */
export interface Host {
  readonly name: string;
  /** Its address; every host reaches the hub's, and nobody else's. */
  readonly address: string;
  /** What comes before a command that is to run there. It becomes the command. */
  readonly within: readonly string[];
}

const run = promisify(execFile);
const namespacesDir = '/run/netns';

/**
 * A hub and hosts around it, each a network namespace, joined by veth pairs. Packets can be dropped in silence, which no
 * proxy can do: neither side hears anything. Nothing of it touches the machine's own network, and all of it is gone at the
 * end; what an earlier run left that was killed is removed at the start.
 */
export class Network implements AsyncDisposable {
  static #count = 0;
  readonly #prefix: string;
  readonly #hosts: Host[] = [];
  readonly hub: Omit<Host, 'address'>;

  private constructor() {
    Network.#count += 1;
    this.#prefix = `shoal-${process.pid}-${Network.#count}`;
    this.hub = this.#named('hub');
  }

  /** Whether this machine can do it: it takes Linux, root, `ip` and `iptables`. Says what is missing when it cannot. */
  static async missing(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return 'the right to make network namespaces (root)';
    try {
      await run('ip', ['netns', 'list']);
      await run('iptables', ['--version']);
      return undefined;
    } catch (error) {
      return `ip (iproute2) and iptables: ${error instanceof Error ? error.message.trim() : String(error)}`;
    }
  }

  static async create(): Promise<Network> {
    await removeAbandoned();
    const network = new Network();
    await run('ip', ['netns', 'add', network.hub.name]);
    await run('ip', ['-n', network.hub.name, 'link', 'set', 'lo', 'up']);
    return network;
  }

  /** The hub's address, as this host knows it. */
  hubOf(host: Host): string {
    return `198.18.${this.#hosts.indexOf(host)}.1`;
  }

  /** Another machine, joined to the hub. The addresses are those that are set aside for tests of networks. */
  async addHost(name: string): Promise<Host> {
    const subnet = `198.18.${this.#hosts.length}`;
    const host = { ...this.#named(name), address: `${subnet}.2` };
    this.#hosts.push(host);
    const [near, far] = [`to-${this.#hosts.length}`, 'to-hub'];
    await run('ip', ['netns', 'add', host.name]);
    await run('ip', ['-n', host.name, 'link', 'set', 'lo', 'up']);
    const ends = [near, 'netns', this.hub.name, 'type', 'veth', 'peer', 'name', far, 'netns', host.name];
    await run('ip', ['link', 'add', ...ends]);
    for (const [namespace, device, address] of [
      [this.hub.name, near, `${subnet}.1`],
      [host.name, far, host.address],
    ] as const) {
      await run('ip', ['-n', namespace, 'addr', 'add', `${address}/24`, 'dev', device]);
      await run('ip', ['-n', namespace, 'link', 'set', device, 'up']);
    }
    return host;
  }

  /** Packets are dropped on arrival, and nobody is told. */
  async cut(host: Host, which: Cut): Promise<void> {
    await this.#filter('-A', host, which);
  }

  /** They arrive again. */
  async mend(host: Host, which: Cut): Promise<void> {
    await this.#filter('-D', host, which);
  }

  /** Ends the network. What still runs in it keeps its namespace alive, without a way out. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { name } of [...this.#hosts, this.hub])
      await run('ip', ['netns', 'del', name]).catch(() => {});
  }

  async #filter(action: '-A' | '-D', host: Host, which: Cut): Promise<void> {
    const drop = async ({ within }: Pick<Host, 'within'>, source: string): Promise<void> => {
      const [ip = '', ...args] = within;
      await run(ip, [...args, 'iptables', '-w', action, 'INPUT', '-s', source, '-j', 'DROP']);
    };
    await Promise.all([
      which === 'to' ? undefined : drop(this.hub, host.address),
      which === 'from' ? undefined : drop(host, this.hubOf(host)),
    ]);
  }

  #named(name: string): Omit<Host, 'address'> {
    const namespace = `${this.#prefix}-${name}`;
    return { name: namespace, within: ['ip', 'netns', 'exec', namespace] };
  }
}

/** Removes the namespaces of test runs that are no more. */
async function removeAbandoned(): Promise<void> {
  let names: string[] = [];
  try {
    names = readdirSync(namespacesDir);
  } catch {
    // There has never been one.
  }
  for (const name of names) {
    const pid = /^shoal-(\d+)-\d+-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await run('ip', ['netns', 'del', name]).catch(() => {});
  }
}

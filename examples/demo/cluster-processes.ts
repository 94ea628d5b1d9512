import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const shoal = fileURLToPath(new URL('../../libs/shoal/bin/shoal.js', import.meta.url));
const startWithinMs = 60_000;

/** A coordinator and agents, each a process of its own, started with the command that users type. */
export class ClusterProcesses {
  readonly address: string;
  readonly #coordinator: ChildProcess;
  readonly #agents: ReadonlyMap<string, ChildProcess>;

  private constructor(address: string, coordinator: ChildProcess, agents: ReadonlyMap<string, ChildProcess>) {
    this.address = address;
    this.#coordinator = coordinator;
    this.#agents = agents;
  }

  /**
   * Starts them on a free port; resolves when every agent has joined. In `tlsDir` lies what `shoal certs init` makes, and
   * in `issued` the certificate of each agent: then everybody shows one.
   */
  static async start(
    names: readonly string[],
    processes: number,
    tlsDir?: string,
  ): Promise<ClusterProcesses> {
    const started: ChildProcess[] = [];
    const secured = (dir: string): string[] => (tlsDir === undefined ? [] : ['--tls-dir', join(tlsDir, dir)]);
    try {
      const coordinator = shoalProcess(['coordinator', '--listen', '127.0.0.1:0', ...secured('.')]);
      started.push(coordinator);
      const [, address = ''] = await said(coordinator, /listening on (\S+)/);
      const agents = new Map<string, ChildProcess>();
      for (const name of names) {
        const agent = shoalProcess([
          'agent',
          '--join',
          address,
          '--name',
          name,
          '--processes',
          String(processes),
          ...secured(join('issued', name)),
        ]);
        started.push(agent);
        agents.set(name, agent);
      }
      await Promise.all([...agents.values()].map((agent) => said(agent, /joined/)));
      return new ClusterProcesses(address, coordinator, agents);
    } catch (error) {
      for (const each of started) each.kill('SIGKILL');
      throw error;
    }
  }

  /** The pid of the coordinator. */
  get coordinatorPid(): number | undefined {
    return this.#coordinator.pid;
  }

  /** The pid of an agent. */
  pidOf(name: string): number | undefined {
    return this.#agents.get(name)?.pid;
  }

  /** No good-bye, no clean-up: what a power cut does to a machine. */
  kill(name: string): void {
    this.#agents.get(name)?.kill('SIGKILL');
  }

  /** Ends them in order; resolves when all are gone. */
  async stop(): Promise<void> {
    for (const agent of this.#agents.values()) agent.kill('SIGTERM');
    await Promise.all([...this.#agents.values()].map(ended));
    this.#coordinator.kill('SIGTERM');
    await ended(this.#coordinator);
  }
}

function shoalProcess(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, shoal, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SHOAL_LOG_LEVEL: 'error' },
  });
}

/** Waits for a line of the process's stdout. */
async function said(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  const { stdout } = child;
  if (stdout === null) throw new Error('The process has no stdout.');
  const lines = createInterface({ input: stdout });
  const timer = setTimeout(() => lines.close(), startWithinMs);
  try {
    for await (const line of lines) {
      const match = pattern.exec(line);
      if (match !== null) return match;
    }
    throw new Error(
      `${child.spawnargs.slice(2).join(' ')} did not say ${pattern} within ${startWithinMs / 1000} s.`,
    );
  } finally {
    clearTimeout(timer);
    // Whatever else it says must not fill the pipe.
    stdout.resume();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

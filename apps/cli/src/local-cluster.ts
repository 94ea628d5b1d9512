import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Coordinator, startCoordinator } from '@shoal/coordinator';
import { ShoalError } from '@shoal/errors';
import { reaper } from '@shoal/pool';
import { serviceLog } from './service-log.ts';
import type { Terminal } from './terminal.ts';

/** What a cluster on this machine is made of. */
export interface LocalClusterConfig {
  readonly listen: string;
  readonly agents: number;
  /** Of each agent. */
  readonly processes: number;
  /** How agents start children, as `shoal agent --start-children` has it. */
  readonly startChildren?: string;
}

/** A start takes half a second; so long means that something is wrong. */
const startWithinMs = 20_000;

/**
 * A coordinator in this process and agents as processes of their own, named `agent-1`, `agent-2`, …
 *
 * Each agent leads a process group that the reaper watches: whatever ends this process, they are gone with it, and
 * with each agent its children.
 */
export class LocalCluster {
  readonly #coordinator: Coordinator;
  readonly #agents: readonly ChildProcess[];
  #closing: Promise<void> | undefined;

  private constructor(coordinator: Coordinator, agents: readonly ChildProcess[]) {
    this.#coordinator = coordinator;
    this.#agents = agents;
  }

  /** Where the coordinator listens. */
  get address(): string {
    return this.#coordinator.address;
  }

  /** Where its metrics are; undefined where it serves none. */
  get httpAddress(): string | undefined {
    return this.#coordinator.httpAddress;
  }

  /** Starts everything and resolves when every agent has joined. */
  static async start(config: LocalClusterConfig, terminal: Terminal): Promise<LocalCluster> {
    // A log of every join and leave would bury what the user came for.
    const log = await serviceLog(terminal, 'warn');
    const coordinator = await startCoordinator({ listen: config.listen, log });
    const agents = Array.from({ length: config.agents }, (_, index) =>
      startAgentProcess(`agent-${index + 1}`, coordinator.address, config, terminal),
    );
    const cluster = new LocalCluster(coordinator, agents);
    try {
      await cluster.#allJoined();
    } catch (error) {
      await cluster.close({ drain: false });
      throw error;
    }
    return cluster;
  }

  /** With `drain`: jobs finish, then agents leave, then the coordinator. Called again or without: everything ends now. */
  async close({ drain }: { readonly drain: boolean }): Promise<void> {
    if (drain && this.#closing === undefined) {
      this.#closing = this.#drain();
      return this.#closing;
    }
    for (const agent of this.#agents) agent.kill('SIGKILL');
    await Promise.all([this.#coordinator.close({ drain: false }), ...this.#agents.map(gone)]);
  }

  async #drain(): Promise<void> {
    // The agents stay until the running jobs are done: they are what the jobs run on.
    await this.#coordinator.close({ drain: true });
    for (const agent of this.#agents) agent.kill('SIGTERM');
    await Promise.all(this.#agents.map(gone));
  }

  async #allJoined(): Promise<void> {
    const deadline = performance.now() + startWithinMs;
    while (this.#coordinator.status().agents < this.#agents.length) {
      const dead = this.#agents.findIndex(isGone);
      if (dead >= 0 || performance.now() > deadline) {
        const reason = dead >= 0 ? `agent-${dead + 1} ended at once` : 'not all agents joined within 20 s';
        throw new ShoalError('INTERNAL', { reason: `the cluster did not start: ${reason}` });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function startAgentProcess(
  name: string,
  address: string,
  { processes, startChildren }: LocalClusterConfig,
  terminal: Terminal,
): ChildProcess {
  const args = [
    ...terminal.self,
    'agent',
    '--join',
    address,
    '--name',
    name,
    '--processes',
    String(processes),
    ...(startChildren === undefined ? [] : ['--start-children', startChildren]),
  ];
  const agent = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: process.platform !== 'win32',
    // What a user has for another cluster is nothing that this one knows.
    env: {
      SHOAL_LOG_LEVEL: 'error',
      ...terminal.env,
      SHOAL_TLS_DIR: '',
      SHOAL_TOKEN: '',
      SHOAL_TOKEN_FILE: '',
    },
  });
  const { pid } = agent;
  if (pid !== undefined) {
    reaper.watch(pid);
    agent.once('exit', (code, signal) => {
      reaper.unwatch(pid);
      if (code !== 0) {
        const how = signal ?? `exit code ${code}`;
        terminal.stderr.write(`shoal: ${name} ended (${how}); it is not started again.\n`);
      }
    });
  }
  agent.once('error', (error) =>
    terminal.stderr.write(`shoal: ${name} cannot be started: ${error.message}\n`),
  );
  return agent;
}

const isGone = (agent: ChildProcess): boolean =>
  agent.pid === undefined || agent.exitCode !== null || agent.signalCode !== null;

async function gone(agent: ChildProcess): Promise<void> {
  if (!isGone(agent)) await once(agent, 'exit');
}

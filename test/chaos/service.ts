import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { canaryEnvironment, expectNoSecret } from '../canary.ts';
import { until } from '../cli/command.testkit.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const shoal = fileURLToPath(new URL('../../libs/shoal/bin/shoal.js', import.meta.url));

/** A line of a service's log. */
export interface Logged {
  readonly event: string;
  readonly msg: string;
  /** Unix milliseconds. */
  readonly time: number;
  readonly [fact: string]: unknown;
}

/** How a service is started. */
export interface Start {
  /** The module to run; default: the `shoal` command. */
  readonly module?: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What comes before the command, such as `ip netns exec NAME`. It has to become the command (`exec`). */
  readonly within?: readonly string[];
}

/** A coordinator, an agent or a client as a process of its own. What it logs is read as events. */
export class Service {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | string>;
  readonly logged: Logged[] = [];
  /** All that it wrote to stdout. */
  stdout = '';
  /** What it wrote to stderr and is no event. */
  complaints = '';
  #line = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on('data', (chunk) => {
      this.stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk) => this.#read(String(chunk)));
    // Where nobody waits for this, the run fails all the same.
    this.#ended = once(child, 'close').then(([code, signal]) => {
      expectNoSecret('a service', this.stdout + this.complaints + JSON.stringify(this.logged));
      return code ?? signal;
    });
  }

  static start({ module = shoal, args, env, within = [] }: Start): Service {
    const [program = '', ...rest] = [
      ...within,
      process.execPath,
      '--conditions=@shoal/source',
      module,
      ...args,
    ];
    const child = spawn(program, rest, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...canaryEnvironment, SHOAL_ADDRESS: '', ...env },
      detached: true,
    });
    return new Service(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with its exit code, or the name of the signal that ended it. */
  get ended(): Promise<number | string> {
    return this.#ended;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.alive) this.#child.kill(signal);
  }

  /** `kill -9`, and waits until the kernel has done it. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }

  /** The events of one name, oldest first. */
  events(name: string): Logged[] {
    return this.logged.filter(({ event }) => event === name);
  }

  /** Waits for an event that it has logged, or will. */
  async event(
    name: string,
    withinMs: number,
    fits: (event: Logged) => boolean = () => true,
  ): Promise<Logged> {
    return until(
      `${name} is logged`,
      () => this.events(name).find(fits),
      () => this.story(),
      withinMs,
    );
  }

  /** What it said, for a test that fails. */
  story(): string {
    const lines = this.logged.map(
      ({ event, msg, time }) => `${new Date(time).toISOString()} ${event}: ${msg}`,
    );
    return `\n${lines.slice(-40).join('\n')}\n${this.complaints}`;
  }

  #read(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) {
      try {
        this.logged.push(JSON.parse(line) as Logged);
      } catch {
        this.complaints += `${line}\n`;
      }
    }
  }
}

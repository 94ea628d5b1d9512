import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { canaryEnvironment, expectNoSecret } from '../canary.ts';
import { isAlive } from '../process-life.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const shoal = fileURLToPath(new URL('../shoal.js', import.meta.url));

/** How a command ended and what it said. */
export interface Ended {
  /** The signal's name where a signal ended it. */
  readonly exitCode: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `shoal` command that runs as users run it: a process of its own, in a session of its own. */
export class Command {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  private constructor(child: ChildProcess, verb: string) {
    this.#child = child;
    child.stdout?.on('data', (chunk) => {
      this.stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      this.stderr += String(chunk);
    });
    // Where nobody waits for this, the run fails all the same.
    this.#ended = once(child, 'close').then(([code, signal]) => {
      expectNoSecret(`shoal ${verb}`, this.stdout + this.stderr);
      return { exitCode: code ?? signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Starts `shoal …args`; every process that comes of it carries `mark` in its environment. */
  static start(
    args: readonly string[],
    { input, mark, env = {} }: { input?: string; mark?: string; env?: Readonly<Record<string, string>> } = {},
  ): Command {
    const child = spawn(process.execPath, ['--conditions=@shoal/source', shoal, ...args], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...canaryEnvironment,
        SHOAL_ADDRESS: '',
        ...env,
        ...(mark === undefined ? {} : { SHOAL_TEST_MARK: mark }),
      },
    });
    child.stdin?.on('error', () => {});
    if (input !== undefined) child.stdin?.end(input);
    return new Command(child, args[0] ?? '');
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): Promise<Ended> {
    return this.#ended;
  }

  /** What somebody types; stdin stays open. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** As `| head` does when it has seen enough. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** As a pager does that waits for its user: what comes stays where it is until the command has ended. */
  leaveStdoutUnread(): void {
    const { stdout } = this.#child;
    stdout?.pause();
    this.#child.once('exit', () => stdout?.resume());
  }

  /** As {@link leaveStdoutUnread}. */
  leaveStderrUnread(): void {
    const { stderr } = this.#child;
    stderr?.pause();
    this.#child.once('exit', () => stderr?.resume());
  }

  closeStderr(): void {
    this.#child.stderr?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has said something; tells what it said instead when it does not. */
  async said(pattern: RegExp, withinMs: number = 60_000): Promise<RegExpExecArray> {
    return until(
      `${pattern} in the output`,
      () => pattern.exec(this.stdout + this.stderr) ?? undefined,
      () => `stdout: ${this.stdout}\nstderr: ${this.stderr}`,
      withinMs,
    );
  }
}

/** Runs a command to its end. */
export async function shoalCommand(args: readonly string[], input: string = ''): Promise<Ended> {
  const ended = await Command.start(args, { input }).ended;
  return { ...ended, stderr: withoutProgress(ended.stderr) };
}

/** What a command said, without what it says every few seconds while it waits: a busy machine is slow. */
export function withoutProgress(stderr: string): string {
  return stderr
    .replaceAll(/^[\d,]+ (of [\d,]+ )?items.* a second.*\n/gm, '')
    .replaceAll(/^shoal: coordinator \S+ does not answer yet; still trying\.\n/gm, '');
}

/** Waits for a condition; says what was seen when it does not come. */
export async function until<T>(
  what: string,
  look: () => T | undefined,
  seen: () => unknown = () => '',
  withinMs: number = 60_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}. Seen: ${seen()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The processes that carry a mark, as `pid command`. A zombie carries nothing: it is gone. */
export function marked(mark: string): readonly string[] {
  const wanted = `SHOAL_TEST_MARK=${mark}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(wanted);
        return isOurs ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`] : [];
      } catch {
        return [];
      }
    });
}

/** Waits until no process with this mark is left. */
export async function allGone(mark: string, withinMs: number = 30_000): Promise<void> {
  await until(
    'every process is gone',
    () => (marked(mark).length === 0 ? true : undefined),
    () => marked(mark).join('\n'),
    withinMs,
  );
}

/** Waits until none of these processes runs any more. */
export async function ended(pids: readonly number[], withinMs: number = 30_000): Promise<void> {
  await until(
    `processes ${pids.join(', ')} are gone`,
    () => (pids.some(isAlive) ? undefined : true),
    () => `alive: ${pids.filter(isAlive).join(', ')}`,
    withinMs,
  );
}

/**
 * Kills our children when this process is killed. A process that gets SIGKILL cannot do it itself, so a tiny shell in
 * a session of its own holds one end of a pipe and the numbers of our process groups; the pipe ends when we end,
 * however that is. One reaper serves all pools of a process; it starts with the first child.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

// Lines `+ 4711` and `- 4711`. The signals that end a foreground job must not end it before its work is done.
const script = `trap '' INT TERM HUP QUIT PIPE
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done`;

/** A group that is gone is told with the next one, and after so many ms at the latest: long before its number comes back. */
const goneMs = 20;

/** Watches process groups of this process. */
export class Reaper {
  readonly #groups = new Set<number>();
  /** Lines about groups that are gone. */
  #gone = '';
  #timer: NodeJS.Timeout | undefined;
  #shell: ChildProcess | undefined;
  #restarts = 0;

  /** The process that waits, for tests. */
  get pid(): number | undefined {
    return this.#shell?.pid;
  }

  /** This group dies with us. */
  watch(group: number): void {
    // Without process groups there is nothing that a shell could kill.
    if (process.platform === 'win32') return;
    this.#groups.add(group);
    if (this.#shell === undefined) this.#start();
    else this.#tell(`+ ${group}\n`);
  }

  /** This group is gone; its number may come back as somebody else's. */
  unwatch(group: number): void {
    if (!this.#groups.delete(group)) return;
    this.#gone += `- ${group}\n`;
    // As a rule a successor comes at once, and the shell is woken for both.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell('');
    }, goneMs).unref();
  }

  /** Who is gone comes first: whoever is new may have its number. */
  #tell(line: string): void {
    const pipe = this.#shell?.stdin;
    const lines = this.#gone + line;
    this.#gone = '';
    if (lines !== '' && pipe !== undefined && pipe !== null && !pipe.destroyed) pipe.write(lines);
  }

  #start(): void {
    const shell = spawn('/bin/sh', ['-c', script, 'shoal-reaper'], {
      cwd: '/',
      env: {},
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#shell = shell;
    // It has heard of nobody yet.
    this.#gone = '';
    const pipe = shell.stdin as Writable & { unref?(): void };
    // It must not keep us alive: it is there for when we are not.
    shell.unref();
    pipe.unref?.();
    pipe.on('error', () => {});
    shell.on('error', () => this.#lost(shell));
    shell.on('exit', () => this.#lost(shell));
    for (const group of this.#groups) this.#tell(`+ ${group}\n`);
  }

  /** Somebody killed it (or there is no shell here): try again, but not for ever. */
  #lost(shell: ChildProcess): void {
    if (this.#shell !== shell) return;
    this.#shell = undefined;
    this.#restarts += 1;
    if (this.#groups.size > 0 && this.#restarts <= restartsMax) this.#start();
  }
}

const restartsMax = 10;

/** The reaper of this process. */
export const reaper: Reaper = new Reaper();

/** Starts each child as a Node process of its own, in a process group of its own, with a private descriptor 3. */
import { spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { youngHeap } from '../child/young-heap.ts';
import type { ChildExit } from '../core/chunk.ts';
import { leftFiles, type Stdio, withoutInherited } from './inherited-files.ts';
import type { LaunchedChild, Launcher, LaunchRequest, OnExit } from './launcher.ts';
import { nodeOptions } from './node-options.ts';
import { isFile, killGroup, programPath, withCompileCache } from './process-start.ts';
import { reaper } from './reaper.ts';

export const spawnLauncher: Launcher = {
  launch(request, onExit): LaunchedChild {
    return spawnChild(request, ['ignore', request.readsStdout ? 'pipe' : 'ignore', 'pipe', 'pipe'], onExit);
  },
};

/** Where its stdin, stdout, stderr and channel are descriptors of ours, those of the answer are undefined. */
export function spawnChild(request: LaunchRequest, stdio: Stdio, onExit: OnExit): LaunchedChild {
  const [command, ...args] = [
    ...wrapper(request),
    process.execPath,
    ...youngHeap(request.execArgv, request.env),
    ...request.execArgv,
    programPath(isConfined(request) ? 'lone-child-main' : 'child-main'),
  ];
  const closed = withoutInherited(stdio);
  const child = spawn(command as string, args, {
    // A group and session of its own: Ctrl-C goes to the pool alone, and a kill reaches what the task has started.
    detached: true,
    env: { ...withCompileCache(request.env), ...leftFiles() },
    stdio: closed,
    windowsHide: true,
    // Not by setpriv, which would be root with whatever a job puts into its environment.
    ...(request.uid === undefined ? {} : { uid: request.uid, gid: request.uid }),
  });
  const { pid } = child;
  if (pid !== undefined) reaper.watch(pid);
  let hasExited = false;
  const exited = (exit: ChildExit, error?: Error): void => {
    if (hasExited) return;
    hasExited = true;
    // What the task has left behind goes with it. The group's number is free only once nobody is in it.
    if (pid !== undefined) {
      killGroup(pid);
      reaper.unwatch(pid);
    }
    onExit(exit, error);
  };
  child.once('exit', (code, signal) =>
    exited({ pid, exitCode: code ?? undefined, signal: signal ?? undefined }),
  );
  child.on('error', (error) => {
    // Also raised where a kill fails; only a child that never was has ended by it.
    if (pid === undefined) exited({ pid, exitCode: undefined, signal: undefined }, error);
  });
  return {
    pid,
    channel: (child.stdio[3] as Duplex | null | undefined) ?? undefined,
    stdout: (child.stdout as Readable | null) ?? undefined,
    stderr: (child.stderr as Readable | null) ?? undefined,
    kill(): void {
      if (pid !== undefined && !hasExited) killGroup(pid, () => child.kill('SIGKILL'));
    },
    keepAlive(isKept): void {
      for (const handle of [child, ...child.stdio] as (Partial<
        Record<'ref' | 'unref', () => void>
      > | null)[]) {
        if (isKept) handle?.ref?.();
        else handle?.unref?.();
      }
    },
  };
}

/**
 * Node's permissions may be on: then a child can read the file that it is started with, and perhaps none beside it. Where they are
 * off all the same it starts as well, only without what others have compiled.
 */
function isConfined({ execArgv, env }: LaunchRequest): boolean {
  // Who has them himself hands them on without being asked.
  return process.permission !== undefined || /permission|config-file/.test(nodeOptions(execArgv, env));
}

/** Where the program lies that gives rights up. */
export const setprivPaths: readonly string[] = ['/usr/bin/setpriv', '/bin/setpriv'];

/** What it is started with for a child that is another user: it gains no rights, and ends with us. */
export const setprivArguments: readonly string[] = ['--no-new-privs', '--pdeathsig', 'KILL'];

/** What a child is started through. */
function wrapper({ uid }: LaunchRequest): readonly string[] {
  if (uid === undefined) return deathSignal();
  const path = setprivPaths.find(isFile) ?? 'setpriv';
  return [path, ...setprivArguments];
}

/**
 * `setpriv` asks the kernel to kill the child when we die, whatever becomes of the reaper. Whether it can do so here is
 * tried a second after the first children, which have the reaper alone: it would take the processors from them when most
 * is waited for, two processes of it and a few milliseconds of this one.
 */
function deathSignal(): readonly string[] {
  if (deathSignalPrefix === undefined) {
    deathSignalPrefix = [];
    if (process.platform === 'linux') setTimeout(probeDeathSignal, probeDelayMs).unref();
  }
  return deathSignalPrefix;
}
let deathSignalPrefix: readonly string[] | undefined;
const probeDelayMs = 1_000;

function probeDeathSignal(): void {
  const path = setprivPaths.find(isFile);
  if (path === undefined) return;
  const prefix = [path, '--pdeathsig', 'KILL'];
  // Busybox has a setpriv without this option.
  const probe = spawn(path, [...prefix.slice(1), '/bin/true'], { stdio: 'ignore', timeout: 2_000 });
  probe.on('error', () => {});
  probe.once('exit', (code) => {
    if (code === 0) deathSignalPrefix = prefix;
  });
  probe.unref();
}

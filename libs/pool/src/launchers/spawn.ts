/** Starts each child as a Node process of its own, in a process group of its own, with a private descriptor 3. */
import { spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { extname, join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ChildExit } from '../core/chunk.ts';
import type { LaunchedChild, Launcher, LaunchRequest } from '../launcher.ts';
import { reaper } from '../reaper.ts';

/** The environment variable that tells Node where compiled code is kept; removed again inside the child. */
const compileCacheVariable = 'NODE_COMPILE_CACHE';

export const spawnLauncher: Launcher = {
  launch(request, onExit): LaunchedChild {
    const [command, ...args] = [...wrapper(request), process.execPath, ...request.execArgv, childMain()];
    const child = spawn(command as string, args, {
      // A group and session of its own: Ctrl-C goes to the pool alone, and a kill reaches what the task has started.
      detached: true,
      env: withCompileCache(request),
      stdio: ['ignore', request.readsStdout ? 'pipe' : 'ignore', 'pipe', 'pipe'],
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
  },
};

function killGroup(pid: number, otherwise?: () => void): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // No such group: it is gone, or this system has none.
    otherwise?.();
  }
}

/** child-main lies beside the folder of this module; in a bundle, beside the bundle. */
function childMain(): string {
  const extension = extname(fileURLToPath(import.meta.url));
  const near = new URL(`../child-main${extension}`, import.meta.url);
  const beside = new URL('./child-main.js', import.meta.url);
  childMainPath ??= fileURLToPath(isFile(near) ? near : beside);
  return childMainPath;
}
let childMainPath: string | undefined;

function isFile(file: URL | string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** Where the program lies that gives rights up. */
export const setprivPaths: readonly string[] = ['/usr/bin/setpriv', '/bin/setpriv'];

/** What a child is started through. */
function wrapper({ uid }: LaunchRequest): readonly string[] {
  if (uid === undefined) return deathSignal();
  const path = setprivPaths.find(isFile) ?? 'setpriv';
  return [path, '--no-new-privs', '--pdeathsig', 'KILL'];
}

/**
 * `setpriv` asks the kernel to kill the child when we die, whatever becomes of the reaper. Whether it can do so here is
 * tried beside the first children, which have the reaper alone: they must not wait for it.
 */
function deathSignal(): readonly string[] {
  if (deathSignalPrefix === undefined) {
    deathSignalPrefix = [];
    // Starting a process takes this one a few milliseconds, and somebody waits for the child.
    if (process.platform === 'linux') setImmediate(probeDeathSignal).unref();
  }
  return deathSignalPrefix;
}
let deathSignalPrefix: readonly string[] | undefined;

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

/**
 * Compiled code is kept between children: it halves the start of a TypeScript module. The folder is the user's own,
 * for whoever can write there decides what his children run. The user's own setting wins.
 */
function withCompileCache({ env }: LaunchRequest): Record<string, string> {
  if (env[compileCacheVariable] !== undefined || env['NODE_DISABLE_COMPILE_CACHE'] !== undefined)
    return { ...env };
  compileCache ??= prepareCompileCache();
  if (compileCache === '') return { ...env };
  return { ...env, [compileCacheVariable]: compileCache, SHOAL_OWN_COMPILE_CACHE: '1' };
}
let compileCache: string | undefined;

/** The folder, or nothing where there can be none. */
function prepareCompileCache(): string {
  const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(caches, 'shoal', 'compile');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { mode, uid } = statSync(folder);
    const isPrivate = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    return isPrivate ? folder : '';
  } catch {
    return '';
  }
}

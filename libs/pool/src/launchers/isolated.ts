/** Starts each child the way that its isolation asks for. Everything else in the pool is the same for all. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchContainer } from './container.ts';
import { endUser, sweepUser } from './end-user.ts';
import type { Isolation } from './isolation.ts';
import type { LaunchedChild, Launcher, LaunchRequest, OnExit, StartCounts } from './launcher.ts';
import { notStarted } from './not-started.ts';
import { spawnLauncher } from './spawn.ts';
import { StartTallies, sumOfStarts } from './start-tallies.ts';
import { UserIds } from './user-ids.ts';

type Asked<Level> = Extract<Isolation, { readonly level: Level }>;

/** Has those started by another launcher that are processes like any other. */
export class IsolatingLauncher implements Launcher {
  readonly #plain: Launcher;
  /** A process that is kept apart is no copy of one that is not: it is spawned, whatever was asked for. */
  readonly #tallies = new StartTallies();

  constructor(plain: Launcher) {
    this.#plain = plain;
  }

  counts(key?: string): StartCounts {
    return sumOfStarts(this.#plain.counts?.(key), this.#tallies.counts(key));
  }

  forget(key: string): void {
    this.#plain.forget?.(key);
    this.#tallies.forget(key);
  }

  endAll(): void {
    this.#plain.endAll?.();
  }

  async close(): Promise<void> {
    await this.#plain.close?.();
  }

  launch(request: LaunchRequest, onExit: OnExit): LaunchedChild {
    const { isolation, key } = request;
    if (isolation === undefined) return this.#plain.launch(request, onExit);
    this.#tallies.spawned(key);
    if (request.startChildren === 'fork')
      this.#tallies.notForked(key, `isolation '${isolation.level}' starts each by itself`);
    switch (isolation.level) {
      case 'permission':
        return spawnLauncher.launch(withPermissions(request, isolation), onExit);
      case 'user':
        return launchAsUser(request, isolation, onExit);
      case 'container':
        return launchContainer(request, isolation, onExit);
    }
  }
}

/**
 * Code that was compiled for one child is not read by another: whoever can write where it lies decides what the others
 * run. And temporary files go where the child works, and with it.
 */
function apart({ env, workDir }: LaunchRequest): Record<string, string> {
  const folders = workDir === undefined ? {} : { TMPDIR: workDir };
  return { ...env, ...folders, NODE_DISABLE_COMPILE_CACHE: '1' };
}

/** It reads code, and writes into its own folder alone; it starts no processes or threads, and loads no native code. */
function withPermissions(request: LaunchRequest, { readable }: Asked<'permission'>): LaunchRequest {
  const { execArgv, workDir } = request;
  const own = workDir === undefined ? [] : [workDir];
  const reads = readable === undefined ? ['*'] : [ownCode(), ...readable, ...own];
  const allowed = [
    ...reads.map((path) => `--allow-fs-read=${path}`),
    ...own.map((path) => `--allow-fs-write=${path}`),
  ];
  // First: after an argument that is no option Node reads no more of them.
  return { ...request, env: apart(request), execArgv: ['--permission', ...allowed, ...execArgv] };
}

/** The folder that this package lies in beside those that it needs; in an image, that of all there is. */
function ownCode(): string {
  const folder = dirname(fileURLToPath(import.meta.url));
  return /\/pool\/(src|dist)\/launchers$/.test(folder) ? dirname(dirname(dirname(folder))) : folder;
}

/** By first and last: pools that have the same users share them out together. */
const userIds = new Map<string, UserIds>();

function launchAsUser(
  request: LaunchRequest,
  { firstUid, lastUid }: Asked<'user'>,
  onExit: OnExit,
): LaunchedChild {
  const range = `${firstUid}-${lastUid}`;
  const uids = userIds.get(range) ?? new UserIds(firstUid, lastUid);
  userIds.set(range, uids);
  const taken = uids.take(request.key);
  if (taken === undefined) {
    const users = lastUid - firstUid + 1;
    const reason = `all ${users} users of this agent are taken (shoal agent --isolation-uids)`;
    return notStarted(new Error(reason), onExit);
  }
  const { uid, isNew } = taken;
  const left = (): void => {
    const last = uids.leave(request.key);
    if (last !== undefined) endUser(last, () => uids.free(last));
  };
  const failure = isNew ? sweepUser(uid) : undefined;
  if (failure !== undefined) {
    left();
    return notStarted(new Error(`user ${uid} could not be cleaned up: ${failure.message}`), onExit);
  }
  request.onUser?.(uid);
  const env = apart(request);
  const home = env['HOME'] ?? request.workDir ?? '/';
  return spawnLauncher.launch({ ...request, env: { ...env, HOME: home }, uid }, (exit, error) => {
    left();
    onExit(exit, error);
  });
}

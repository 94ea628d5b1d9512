import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { withoutInherited } from './inherited-files.ts';

/** Until there is a process again to do it with. */
const retryMs = 1_000;
const sweepMs = 10_000;
/** What that user may look into for a moment has nothing of ours. */
const nothing = (): ReturnType<typeof withoutInherited> => withoutInherited(['ignore', 'ignore', 'ignore']);
/** A shell that its own kill does not reach. */
const killAll = ['-c', 'kill -s KILL -- -1'] as const;

const startKiller = (uid: number): ChildProcess =>
  spawn('/bin/sh', killAll, { uid, gid: uid, stdio: nothing(), env: {} });

/**
 * Ends everything that runs as a user, whatever process group it went into, then calls `done`. A user that could not be
 * cleaned up is tried again and stays taken: whoever had it next would meet what is there. `start` starts the shell that
 * does it.
 */
export function endUser(
  uid: number,
  done: () => void,
  start: (uid: number) => ChildProcess = startKiller,
): void {
  const again = (): void => void setTimeout(() => endUser(uid, done, start), retryMs).unref();
  const killer = start(uid);
  killer.once('error', again);
  killer.once('exit', (_, signal) => (shellFailure(signal) === undefined ? done() : again()));
  killer.unref();
}

/** Its exit code says at most that there was nothing to kill. But what runs as that user can kill it as well. */
const shellFailure = (signal: NodeJS.Signals | null): Error | undefined =>
  signal === null ? undefined : new Error(`the shell was ended by ${signal}`);

/**
 * The same at once, while everybody waits for a few milliseconds: before a user is given to somebody, so that whatever
 * came to run as it since it was cleaned up does not meet who has it next. Returns why that could not be done.
 */
export function sweepUser(uid: number): Error | undefined {
  const { error, signal } = spawnSync('/bin/sh', killAll, {
    uid,
    gid: uid,
    stdio: nothing(),
    env: {},
    timeout: sweepMs,
  });
  return error ?? shellFailure(signal);
}

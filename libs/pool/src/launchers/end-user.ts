import { spawn } from 'node:child_process';

/** Until there is a process again to do it with. */
const retryMs = 1_000;

/**
 * Ends everything that runs as a user, whatever process group it went into, then calls `done`. A user that could not be
 * cleaned up is tried again and stays taken: whoever had it next would meet what is there.
 */
export function endUser(uid: number, done: () => void): void {
  const killer = spawn('/bin/sh', ['-c', 'kill -s KILL -- -1'], { uid, gid: uid, stdio: 'ignore', env: {} });
  killer.once('error', () => void setTimeout(() => endUser(uid, done), retryMs).unref());
  killer.once('exit', done);
  killer.unref();
}

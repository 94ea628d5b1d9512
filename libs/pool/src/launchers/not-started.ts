import type { LaunchedChild, OnExit } from './launcher.ts';

/** As a child looks that could not be started. */
export function notStarted(error: Error, onExit: OnExit): LaunchedChild {
  setImmediate(() => onExit({ pid: undefined, exitCode: undefined, signal: undefined }, error));
  return {
    pid: undefined,
    channel: undefined,
    stdout: undefined,
    stderr: undefined,
    kill: () => {},
    keepAlive: () => {},
  };
}

import { createHash } from 'node:crypto';
import type { ChildSetup, TaskRef } from './chunk-request.ts';
import type { PoolOptions } from './options.ts';
import { encodeBlock, encodeValue } from './values/block-codec.ts';

/** What the children of a pool are like, out of its options. `initializer` is the function that the options name. */
export function childSetupOf(options: PoolOptions, initializer: TaskRef | undefined): ChildSetup {
  const { maxRssBytes, maxAgeMs, initArgs = [] } = options;
  const setup: Omit<ChildSetup, 'key'> = {
    env: environmentOf(options.env),
    execArgv: options.execArgv ?? inheritedExecArgv(process.execArgv),
    stdio: options.stdio ?? 'forward',
    ...(initializer === undefined
      ? {}
      : { initializer: { task: { ...initializer }, args: encodeBlock('v8', initArgs) } }),
    ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
  };
  return { key: createHash('sha256').update(encodeValue(setup)).digest('hex'), ...setup };
}

/** The environment of the children: all of ours, the variables that are named, or the values that are given. */
function environmentOf(env: PoolOptions['env']): Record<string, string> {
  if (env !== undefined && !isNameList(env)) return { ...env };
  const all = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const wanted = env === undefined ? undefined : new Set(env);
  return Object.fromEntries(wanted === undefined ? all : all.filter(([name]) => wanted.has(name)));
}

// Array.isArray does not narrow readonly arrays.
const isNameList = (env: NonNullable<PoolOptions['env']>): env is readonly string[] => Array.isArray(env);

// What makes sense only in the process that was started with it: a debugger's port can be used once, a script that was
// given on the command line is no module of ours, and a test runner or watcher is not wanted in every child.
const ownOnly =
  /^--(inspect|debug-port|eval|print|check|interactive|test|watch|run|input-type|cpu-prof|heap-prof)(\b|=)/;
const shortOwnOnly = new Set(['-e', '-p', '-pe', '-c', '-i']);
// Options of the above that are followed by their value.
const withValue = new Set(['-e', '-p', '-pe', '--eval', '--print', '--run', '--input-type', '--debug-port']);

/** Our own arguments of `node`, as far as they are meant for children too. */
export function inheritedExecArgv(execArgv: readonly string[]): string[] {
  const inherited: string[] = [];
  for (let at = 0; at < execArgv.length; at++) {
    const argument = execArgv[at] as string;
    if (withValue.has(argument)) at += 1;
    else if (!ownOnly.test(argument) && !shortOwnOnly.has(argument)) inherited.push(argument);
  }
  return inherited;
}

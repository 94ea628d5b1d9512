import { ShoalError } from '@shoal/errors';
import { type IsolationLevel, openingOption } from '../launchers/isolation.ts';
import type { PoolOptions } from '../options/options.ts';
import { encodeValue } from '../values/block-codec.ts';
import { explainUnportable, findUnportable, type Unportable } from '../values/portable.ts';
import type { BlobFile, ChildInitializer, ChildSetup } from './chunk-request.ts';
import { workParentDir } from './work-folder.ts';

/**
 * The arguments of an initializer, encoded; undefined where there is none. Throws VALUE_NOT_PORTABLE with the path of what
 * cannot be sent.
 */
export function initArgsOf(options: PoolOptions): InitArgs | undefined {
  const { initializer, initArgs = [], initializerTimeoutMs: timeoutMs } = options;
  if (initializer === undefined) return undefined;
  const culprit = findUnportable(initArgs);
  if (culprit !== undefined) throw notPortable(culprit);
  const refersTo = new Map<string, BlobFile>();
  let args: Uint8Array;
  try {
    args = encodeValue(initArgs, refersTo);
  } catch (error) {
    throw notPortable(explainUnportable(initArgs, 'v8', error));
  }
  return {
    args,
    ...(refersTo.size === 0 ? {} : { broadcasts: [...refersTo.values()] }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** All that is told of an initializer but the function. */
export type InitArgs = Omit<ChildInitializer, 'task'>;

function notPortable({ path, kind }: Unportable): ShoalError {
  return new ShoalError('VALUE_NOT_PORTABLE', { what: 'initArgs', path, kind });
}

/**
 * What the children of a pool are like, out of its options; whom they serve is the caller's to say. `initializer` is the
 * function that the options name, with its arguments.
 */
export function childSetupOf(
  options: PoolOptions,
  initializer: ChildInitializer | undefined,
): Omit<ChildSetup, 'key'> {
  const { maxRssBytes, maxAgeMs, preload, startChildren } = options;
  const env = environmentOf(options.env);
  const execArgv = options.execArgv ?? inheritedExecArgv(process.execArgv);
  return {
    env,
    execArgv,
    stdio: options.stdio ?? 'forward',
    ...(startChildren === undefined ? {} : { startChildren }),
    ...(preload === undefined ? {} : { preload }),
    ...(initializer === undefined ? {} : { initializer: { ...initializer, task: { ...initializer.task } } }),
    ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...outputLimits(options),
  };
}

/** Nothing where none is named: a child knows the default ones. */
function outputLimits(options: PoolOptions): Pick<ChildSetup, 'output'> {
  const named = {
    printBytes: options.maxPrintBytesPerItem,
    printBytesPerSecond: options.maxPrintBytesPerSecond,
    errorChars: options.maxErrorChars,
    errorDepth: options.maxErrorDepth,
    errorFields: options.maxErrorFields,
    errorBytes: options.maxErrorBytes,
  };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { output: Object.fromEntries(given) };
}

/**
 * How the children of a pool on this machine are kept apart. Throws ISOLATION_NOT_AVAILABLE for a level that is for agents,
 * and where other options would undo it.
 */
export function localIsolation(
  level: IsolationLevel | undefined,
  { execArgv, env }: Pick<ChildSetup, 'execArgv' | 'env'>,
): Pick<ChildSetup, 'isolation' | 'workParentDir'> {
  if (level === undefined || level === 'process') return {};
  if (level !== 'permission') {
    throw new ShoalError('ISOLATION_NOT_AVAILABLE', {
      level,
      where: 'in a pool on one machine',
      reason: 'its children read task modules in place, where another user or a container has none',
      hint: `Start an agent with it: shoal agent --isolation ${level}.`,
    });
  }
  checkOpenings(level, 'in this pool', execArgv, env);
  // Task modules lie anywhere.
  return { isolation: { level, readable: undefined }, workParentDir: workParentDir() };
}

/** Throws ISOLATION_NOT_AVAILABLE where an argument of Node could open what the level closes. */
export function checkOpenings(
  level: IsolationLevel,
  where: string,
  execArgv: readonly string[],
  env: Readonly<Record<string, string>>,
): void {
  const opening = openingOption(execArgv, env);
  if (opening === undefined) return;
  throw new ShoalError('ISOLATION_NOT_AVAILABLE', {
    level,
    where,
    reason: `${opening} is none of the options of Node that are known to leave it closed`,
    hint: 'Leave it out of execArgv and NODE_OPTIONS; docs/isolation.md says what may be there.',
  });
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
const withCode = new Set(['-e', '-p', '-pe', '--eval', '--print']);
const shortOwnOnly = new Set(['-e', '-p', '-pe', '-c', '-i']);

/** Our own arguments of `node`, as far as they are meant for children too. */
export function inheritedExecArgv(execArgv: readonly string[]): string[] {
  return optionsOf(execArgv, (option) => !ownOnly.test(option) && !shortOwnOnly.has(option));
}

/**
 * Those arguments of `node` that are wanted. An option's value may be an argument of its own: it shares the fate of its
 * option, or it would be taken for the program. `isWanted` is asked with `-` for `_`, for which Node takes it.
 */
export function optionsOf(execArgv: readonly string[], isWanted: (option: string) => boolean): string[] {
  let isKept = true;
  return execArgv.filter((argument, at) => {
    // Code may begin like an option.
    const isValue = !argument.startsWith('-') || withCode.has(execArgv[at - 1] ?? '');
    if (!isValue) isKept = isWanted(argument.replace(/^[^=]*/, (name) => name.replaceAll('_', '-')));
    return isKept;
  });
}

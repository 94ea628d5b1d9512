/** What each documented option may be, by its name. */
import { timerMsMax } from '@shoal/errors';
import { isolationLevels } from '../launchers/isolation.ts';
import {
  abortSignal,
  callback,
  checkOptions,
  either,
  environment,
  flag,
  functionOrModule,
  isRecord,
  labelRecord,
  list,
  type OptionCheck,
  oneOf,
  shortText,
  stringList,
  text,
  wholeNumber,
  wrongType,
} from './option-checks.ts';
import type {
  MapOptions,
  ModuleOptions,
  PoolOptions,
  RetryOptions,
  StreamOptions,
  SubmitOptions,
} from './options.ts';

const positiveMs = wholeNumber(1, timerMsMax);
const retryCount = wholeNumber(0, 1_000);
const printWriter: OptionCheck = (name, value) => {
  if (isRecord(value) && typeof value['write'] === 'function') return value;
  throw wrongType(name, 'a PrintWriter', value);
};

const poolChecks: Record<keyof PoolOptions, OptionCheck> = {
  processes: wholeNumber(1, 1_024),
  maxTasksPerChild: wholeNumber(1),
  concurrentTasksPerChild: wholeNumber(1, 10_000),
  maxRssBytes: wholeNumber(1_048_576),
  maxAgeMs: positiveMs,
  initializer: functionOrModule,
  initArgs: list,
  initializerTimeoutMs: positiveMs,
  env: environment,
  execArgv: stringList,
  startChildren: oneOf('auto', 'spawn', 'fork'),
  preload: flag,
  isolation: oneOf(...isolationLevels),
  stdio: oneOf('forward', 'ignore'),
  printer: printWriter,
  maxPrintBytesPerItem: wholeNumber(1_024, 16_777_216),
  maxPrintBytesPerSecond: wholeNumber(1_024, 1_073_741_824),
  maxErrorChars: wholeNumber(256, 65_536),
  maxErrorDepth: wholeNumber(1, 32),
  maxErrorFields: wholeNumber(1, 1_024),
  maxErrorBytes: wholeNumber(16_384, 1_048_576),
  maxItemBytes: wholeNumber(1_024, 1_073_741_824),
  maxResultBytes: wholeNumber(1_024, 1_073_741_824),
  maxBroadcastBytes: wholeNumber(1_024, 68_719_476_736),
  onDispose: oneOf('terminate', 'drain'),
  unreadStreamMs: positiveMs,
};

// Named as one writes it: `thrown` alone would be looked for among the options of the method.
const retryBudget: OptionCheck = (name, value) => retryCount(`retries.${name}`, value);

const retryChecks: Record<keyof RetryOptions, OptionCheck> = {
  thrown: retryBudget,
  crash: retryBudget,
  timeout: retryBudget,
  lost: retryBudget,
};

const mapChecks: Record<keyof MapOptions, OptionCheck> = {
  chunkSize: either((value) => value === 'auto', "'auto'", wholeNumber(1, 1_000_000)),
  timeoutMs: positiveMs,
  deadlineMs: positiveMs,
  retries: (name, value) =>
    isRecord(value)
      ? checkOptions(name, value, retryChecks)
      : either(() => false, 'an object', retryCount)(name, value),
  retryOn: either((value) => typeof value === 'function', 'a function', stringList),
  maxTasksPerChild: wholeNumber(1),
  concurrentTasksPerChild: wholeNumber(1, 10_000),
  signal: abortSignal,
  onProgress: callback,
  failFast: flag,
  bufferSize: wholeNumber(1, 1_000_000),
  bufferBytes: wholeNumber(65_536, 1_073_741_824),
  priority: wholeNumber(-100, 100),
  pure: flag,
  labels: labelRecord,
  requestId: shortText(200),
};

const streamChecks: Record<keyof MapOptions | keyof StreamOptions, OptionCheck> = {
  ...mapChecks,
  settled: flag,
};
const submitChecks: Record<keyof SubmitOptions<unknown>, OptionCheck> = {
  // Read first: of an option that throws when it is read, onError is told.
  onSuccess: callback,
  onError: callback,
  ...mapChecks,
};

/** Of a job, whichever method opens it. */
export type JobOptions = MapOptions & StreamOptions & ModuleOptions & SubmitOptions<never>;

/** Methods that take the same options are of one kind. */
export type MethodKind = 'map' | 'stream' | 'submit';

const methodChecks: Record<MethodKind, Readonly<Record<string, OptionCheck>>> = {
  map: mapChecks,
  stream: streamChecks,
  submit: submitChecks,
};

/** The options of a pool. */
export const poolOptionNames: readonly string[] = Object.keys(poolChecks);

/**
 * A copy of the options of a pool, for which each was read once. Throws a TypeError or RangeError that names the first that is
 * not as documented. `startDefault`: how its children are started where that is not said; undefined where others decide.
 */
export function checkPoolOptions(given: unknown, startDefault: 'spawn' | undefined = 'spawn'): PoolOptions {
  const options = checkOptions('Pool options', given, poolChecks) ?? {};
  if (options['preload'] === true && (options['startChildren'] ?? startDefault) === 'spawn') {
    const isDefault = options['startChildren'] === undefined ? ' (its default)' : '';
    throw new TypeError(
      `preload shares what forked children load, and startChildren is 'spawn'${isDefault}: say 'fork' or 'auto'.`,
    );
  }
  if (options['unreadStreamMs'] !== undefined && options['onDispose'] !== 'drain') {
    throw new TypeError("unreadStreamMs is for a disposal that drains: say onDispose: 'drain', too.");
  }
  if (options['initializer'] !== undefined) return options;
  for (const name of ['initArgs', 'initializerTimeoutMs']) {
    if (options[name] === undefined) continue;
    throw new TypeError(`${name} is given, but there is no initializer that could take it.`);
  }
  return options;
}

/**
 * A copy of the options of a job, for which each was read once. Throws a TypeError or RangeError that names the first that is
 * not as documented; `given` has what was read by then.
 */
export function checkJobOptions(
  method: string,
  kind: MethodKind,
  takesModule: boolean,
  options: unknown,
  given: Record<string, unknown>,
): JobOptions {
  // `export` means something only beside a module; beside a function it would be ignored in silence.
  if (!takesModule && isRecord(options) && options['export'] !== undefined) {
    throw new TypeError(
      `${method}() options: export goes with a module URL or path; here the task is a function.`,
    );
  }
  const checks = takesModule ? { ...methodChecks[kind], export: text } : methodChecks[kind];
  return checkOptions(`${method}() options`, options, checks, given) ?? {};
}

/** The options of a wait (`next`, `result`, `wait`), read once. Throws if its `timeoutMs` is not as documented. */
export function checkWaitOptions(method: string, options: unknown): NextWait {
  return checkOptions(`${method}() options`, options, { timeoutMs: wholeNumber(0, timerMsMax) }) ?? {};
}

interface NextWait {
  readonly timeoutMs?: number | undefined;
}

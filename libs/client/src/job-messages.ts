import {
  type BackendProgress,
  decodeError,
  type Encoding,
  type FailedOutcome,
  type IsolationLevel,
  type JobRequest,
  type OutputLimits,
  type PoolStats,
  type Print,
  type RemoteErrorData,
  type TaskRef,
} from '@shoal/pool';
import {
  ChildState,
  type GroupStats,
  Isolation,
  JobOptions,
  PrintStream,
  type RetryOn,
  readFacts,
  StartMode,
  StdioMode,
  type ChildSetup as WireChildSetup,
  Encoding as WireEncoding,
  type ItemFailure as WireFailure,
  OutputLimits as WireOutputLimits,
  type Print as WirePrint,
  type JobProgress as WireProgress,
  type TaskRef as WireTaskRef,
} from '@shoal/protocol';
import type { Bundle, BundledTask } from './bundle/bundle.ts';
import { errorAtHome, factsAtHome, textAtHome } from './bundle/home.ts';

/** What all children of a connection's jobs have to be like. */
export interface ClusterSetup {
  readonly env: Readonly<Record<string, string>>;
  /** Agents add none of their own variables. */
  readonly onlyEnv: boolean;
  readonly execArgv: readonly string[];
  readonly stdio: 'forward' | 'ignore';
  readonly maxRssBytes: number | undefined;
  readonly maxAgeMs: number | undefined;
  readonly startChildren: 'auto' | 'spawn' | 'fork' | undefined;
  readonly preload: boolean;
  readonly isolation: IsolationLevel | undefined;
  readonly output: Partial<OutputLimits> | undefined;
}

/** The jobs of one connection. */
export interface Group {
  readonly id: string;
  /** Slots that they use at once; undefined: all there are. */
  readonly processes: number | undefined;
}

const startModes = { auto: StartMode.AUTO, spawn: StartMode.SPAWN, fork: StartMode.FORK } as const;
const encodings = { v8: WireEncoding.V8, json: WireEncoding.JSON, bytes: WireEncoding.BYTES } as const;

const isolations = {
  process: Isolation.PROCESS,
  permission: Isolation.PERMISSION,
  user: Isolation.USER,
  container: Isolation.CONTAINER,
} as const;

/** The code that travels with a job. */
export interface JobCode {
  readonly bundle: Bundle;
  /** The task's module, as a path from `root`. */
  readonly module: string;
  /** The folder that paths in the bundle are relative to, as a URL. */
  readonly root: string;
  /** Where each function is found in the bundle. */
  readonly places: ReadonlyMap<TaskRef, BundledTask | undefined>;
}

/** A function of a bundle, or one that travels as its source. */
export function wireTask(ref: TaskRef, code: JobCode | undefined): WireTaskRef {
  const { name } = ref;
  if (ref.kind === 'inline') return { name, function: { $case: 'inlineSource', value: ref.source } };
  const bundleSha256 = code?.bundle.sha256 ?? '';
  const place = code?.places.get(ref);
  if (place?.kind === 'registered') {
    const { origin, ordinal } = place;
    return { name, function: { $case: 'registered', value: { bundleSha256, origin, ordinal } } };
  }
  const value = { bundleSha256, export: place?.export ?? 'default' };
  return { name, function: { $case: 'moduleExport', value } };
}

/** What the surface asked for, as it travels. */
export function wireOptions(request: JobRequest, deadlineMs: number | undefined, group: Group): JobOptions {
  const { retryOn, totalItems } = request;
  return JobOptions.fromPartial({
    encoding: encodings[request.encoding],
    spread: request.spread,
    unordered: !request.ordered,
    ...(totalItems === undefined ? {} : { totalItems }),
    chunkSize: request.chunkSize === 'auto' ? 0 : request.chunkSize,
    timeoutMs: request.timeoutMs ?? 0,
    deadlineMs: deadlineMs ?? 0,
    retries: request.retries,
    ...(retryOn === undefined ? {} : { retryOn: { rule: wireRule(retryOn) } }),
    maxTasksPerChild: request.maxTasksPerChild ?? 0,
    concurrentTasksPerChild: request.concurrentTasksPerChild ?? 0,
    failFast: request.failFast,
    pure: request.pure,
    priority: request.priority,
    labels: request.labels,
    windowItems: request.windowItems,
    maxResultBytes: request.maxResultBytes ?? 0,
    group: { id: group.id, processes: group.processes ?? 0 },
  });
}

function wireRule(retryOn: NonNullable<JobRequest['retryOn']>): NonNullable<RetryOn['rule']> {
  return 'names' in retryOn
    ? { $case: 'names', value: { names: [...retryOn.names] } }
    : { $case: 'predicateSource', value: retryOn.source };
}

/** What the children have to be like, as it travels. */
export function wireSetup(setup: ClusterSetup, initializer: WireChildSetup['initializer']): WireChildSetup {
  return {
    env: { ...setup.env },
    onlyEnv: setup.onlyEnv,
    execArgv: [...setup.execArgv],
    initializer,
    stdio: setup.stdio === 'forward' ? StdioMode.FORWARD : StdioMode.IGNORE,
    maxRssBytes: setup.maxRssBytes ?? 0,
    maxAgeMs: setup.maxAgeMs ?? 0,
    startChildren:
      setup.startChildren === undefined ? StartMode.UNSPECIFIED : startModes[setup.startChildren],
    preload: setup.preload,
    isolation: setup.isolation === undefined ? Isolation.UNSPECIFIED : isolations[setup.isolation],
    output: setup.output && WireOutputLimits.fromPartial(setup.output),
  };
}

/** A failed item; what is told of it names files of the caller again. */
export function failedOutcome(
  failure: WireFailure,
  encoding: Encoding,
  code: JobCode | undefined,
): FailedOutcome {
  return {
    index: failure.index,
    code: failure.code,
    ...(failure.summary === '' ? {} : { summary: textAtHome(failure.summary, code) }),
    attempts: failure.attempts.map(({ agent, pid, exitCode, signal, ms, withItsServer }) => ({
      ...(agent === '' ? {} : { agent }),
      ...(pid === undefined ? {} : { pid }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(signal === '' ? {} : { signal }),
      ...(ms === undefined ? {} : { ms }),
      ...(withItsServer ? { withItsServer } : {}),
    })),
    facts: readFacts(factsAtHome(failure.facts, code)),
    ...(failure.error.length === 0 ? {} : { error: thrownError(failure.error, encoding, code) }),
    ...(failure.stderrTail === '' ? {} : { stderrTail: textAtHome(failure.stderrTail, code) }),
  };
}

/** What the user's code threw. */
export function thrownError(
  bytes: Uint8Array,
  encoding: Encoding,
  code: JobCode | undefined,
): RemoteErrorData {
  return errorAtHome(decodeError(encoding, bytes), code);
}

export function printOf({ index, pid, stream, task, text }: WirePrint): Print {
  const isError = stream === PrintStream.STDERR;
  return { index, pid, text, stream: isError ? 'stderr' : 'stdout', task: task === '' ? undefined : task };
}

export function progressOf({
  failed,
  retried,
  running,
  speculated,
  speculationWins,
  succeeded,
  waitingFor,
}: WireProgress): BackendProgress {
  return {
    done: succeeded,
    failed,
    retried,
    running,
    speculated,
    speculationWins,
    ...(waitingFor === '' ? {} : { waitingFor }),
  };
}

const childStates = {
  [ChildState.STARTING]: 'starting',
  [ChildState.IDLE]: 'idle',
  [ChildState.BUSY]: 'busy',
  [ChildState.RETIRING]: 'retiring',
} as const;

/** The processes of a group as `stats()` shows them. */
export function processesOf({ processes }: GroupStats): PoolStats['processes'] {
  return processes.map(({ agent, pid, rssBytes, startedUnixMs, state, tasksRun }) => ({
    pid,
    agent,
    tasksRun,
    startedAt: new Date(startedUnixMs),
    rssBytes,
    state: state === ChildState.UNSPECIFIED ? 'starting' : (childStates[state] ?? 'starting'),
  }));
}

/** How they were started; of an older coordinator, which does not say, none is known. */
export function startsOf({ starts }: GroupStats): PoolStats['starts'] {
  const { spawned = 0, forked = 0, notForked = '' } = starts ?? {};
  return { spawned, forked, ...(notForked === '' ? {} : { notForked }) };
}

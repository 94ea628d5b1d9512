import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { ShoalError } from '@shoal/errors';
import type {
  Block,
  ChildSetup,
  ChunkRequest,
  OutputLimits,
  Encoding as PoolEncoding,
  TaskRef,
} from '@shoal/pool';
import {
  Encoding,
  type JobOptions,
  JobOptions as JobOptionsCodec,
  type JobSetup,
  StartMode,
  StdioMode,
  ChildSetup as WireSetup,
  type TaskRef as WireTask,
} from '@shoal/protocol';
import type { StartChunk } from './core/agent-command.ts';
import { childEnvironment } from './isolation/child-environment.ts';
import { type AgentIsolation, childIsolation, isolationLevel } from './isolation/child-isolation.ts';

/** What every chunk of a job has in common. */
export type JobTemplate = Omit<
  ChunkRequest,
  'id' | 'first' | 'count' | 'blocks' | 'marksStarts' | 'tryNumber' | 'group'
>;

/** What this agent adds to a job. */
export interface AgentTerms {
  readonly agent: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Those that it takes. */
  readonly encodings: readonly PoolEncoding[];
  /** The agent's own limit; the smaller of it and the job's holds. */
  readonly maxTasksPerChild: number | undefined;
  /** The agent's own limit, for jobs that set none; else the smaller of both holds. */
  readonly maxRssBytes: number | undefined;
  /** The agent's own choice; `auto` leaves it to the job. */
  readonly startChildren: 'auto' | 'spawn' | 'fork' | undefined;
  readonly isolation: AgentIsolation;
  /** The folder of the users' code. */
  readonly bundleDir: string;
  /** The folder in which each child has one of its own to work in. */
  readonly workParentDir: string;
}

/** The bundles that a job needs, each once; the constants of its initializer's arguments are such. */
export function bundlesOf({ task, setup }: JobSetup): string[] {
  const hashes = [task, setup?.initializer?.task].map((each) => bundleOf(each));
  const constants = setup?.initializer?.broadcastSha256 ?? [];
  return [...new Set([...hashes.filter((sha256) => sha256 !== undefined), ...constants])];
}

/**
 * Turns what came over the wire into what the pool runs. `paths` holds the file of each bundle. Throws
 * `ENCODING_NOT_ACCEPTED` for a job in an encoding that this agent does not take.
 */
export function jobTemplate(
  job: JobSetup,
  paths: ReadonlyMap<string, string>,
  terms: AgentTerms,
): JobTemplate {
  const options = job.options ?? JobOptionsCodec.fromPartial({});
  const setup = job.setup ?? WireSetup.fromPartial({});
  const encoding = encodings[options.encoding];
  if (encoding === undefined || !terms.encodings.includes(encoding)) {
    throw new ShoalError('ENCODING_NOT_ACCEPTED', {
      encoding: encoding ?? String(options.encoding),
      accepted: `${terms.encodings.join(', ')} (shoal agent --encodings)`,
    });
  }
  const maxTasksPerChild = smallest(options.maxTasksPerChild || undefined, terms.maxTasksPerChild);
  return {
    setup: childSetup(job, setup, options, paths, terms),
    job: job.jobId,
    task: poolTask(job.task, paths),
    encoding,
    spread: options.spread,
    ...(options.timeoutMs === 0 ? {} : { timeoutMs: options.timeoutMs }),
    ...(maxTasksPerChild === undefined ? {} : { maxTasksPerChild }),
    concurrentTasksPerChild: Math.max(1, options.concurrentTasksPerChild),
    ...(options.retries?.crash === 0 && options.retries.lost === 0 ? { runsOnce: true } : {}),
    ...retryOn(options),
    agent: terms.agent,
    maxResultBytes: options.maxResultBytes,
  };
}

/** What is to be run of a job, and how. */
export type ChunkOrder = Pick<
  StartChunk,
  'first' | 'count' | 'marksStarts' | 'tryNumber' | 'groupSlots' | 'order'
>;

/** One dispatch as a chunk. Ids are the pool's: attempt numbers of two epochs may be equal. */
export function chunkRequest(
  template: JobTemplate,
  id: number,
  { first, count, marksStarts, tryNumber, groupSlots, order }: ChunkOrder,
  blocks: readonly Block[],
): ChunkRequest {
  const slots = groupSlots === 0 ? undefined : groupSlots;
  const group = { id: groupOfKey(template.setup.key), slots, order };
  return { ...template, id, first, count, blocks, marksStarts, tryNumber, group };
}

function childSetup(
  job: JobSetup,
  setup: WireSetup,
  options: JobOptions,
  paths: ReadonlyMap<string, string>,
  terms: AgentTerms,
): ChildSetup {
  const { initializer } = setup;
  const maxRssBytes = smallest(setup.maxRssBytes || undefined, terms.maxRssBytes);
  const level = isolationLevel(setup.isolation, terms.isolation);
  const env = childEnvironment(terms.env, setup, level);
  const { bundleDir, workParentDir } = terms;
  const surroundings = { bundleDir, execArgv: setup.execArgv, env, memoryBytes: maxRssBytes };
  const isolation = childIsolation(level, terms.isolation, surroundings);
  return {
    key: setupKey(job, setup, options),
    env,
    execArgv: setup.execArgv,
    ...(isolation === undefined ? {} : { isolation }),
    workParentDir,
    ...(initializer === undefined
      ? {}
      : {
          initializer: {
            task: poolTask(initializer.task, paths),
            args: initializer.args,
            broadcasts: initializer.broadcastSha256.map((sha256) => ({
              sha256,
              path: paths.get(sha256) ?? '',
            })),
            ...(initializer.timeoutMs === 0 ? {} : { timeoutMs: initializer.timeoutMs }),
          },
        }),
    stdio: setup.stdio === StdioMode.IGNORE ? 'ignore' : 'forward',
    ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
    ...(setup.output === undefined ? {} : { output: outputLimits(setup.output) }),
    ...(setup.maxAgeMs === 0 ? {} : { maxAgeMs: setup.maxAgeMs }),
    startChildren: startOf(setup, terms),
    ...(isForkForbidden(setup, terms) ? { notForked: 'its agent spawns (--start-children spawn)' } : {}),
    preload: setup.preload,
  };
}

/** `spawn` of either side holds; where nobody says anything, children are spawned. */
function startOf({ startChildren }: WireSetup, terms: AgentTerms): 'auto' | 'spawn' | 'fork' {
  if (startChildren === StartMode.SPAWN || terms.startChildren === 'spawn') return 'spawn';
  if (startChildren === StartMode.FORK) return 'fork';
  return startChildren === StartMode.AUTO ? 'auto' : (terms.startChildren ?? 'spawn');
}

function isForkForbidden({ startChildren }: WireSetup, terms: AgentTerms): boolean {
  const asked = startChildren === StartMode.FORK || startChildren === StartMode.AUTO;
  return asked && terms.startChildren === 'spawn';
}

/** Bounded here as well: whoever speaks this protocol need not be a client of ours. */
const outputMost: OutputLimits = {
  printBytes: 2 ** 24,
  printBytesPerSecond: 2 ** 30,
  errorChars: 2 ** 16,
  errorDepth: 32,
  errorFields: 1_024,
  errorBytes: 2 ** 20,
};

function outputLimits(asked: OutputLimits): Partial<OutputLimits> {
  const given = (Object.keys(outputMost) as (keyof OutputLimits)[]).filter((name) => asked[name] > 0);
  return Object.fromEntries(given.map((name) => [name, Math.min(asked[name], outputMost[name])]));
}

/**
 * Jobs share children only within one group, with the same bundle and an equal setup: nobody meets the leftovers of
 * another's code. A job without a group shares them with none.
 */
function setupKey(job: JobSetup, setup: WireSetup, options: JobOptions): string {
  const key = createHash('sha256');
  const sorted = Object.entries(setup.env).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [bundleOf(job.task) ?? '', JSON.stringify(sorted)];
  for (const part of parts) key.update(`${part.length}:${part}`);
  key.update(WireSetup.encode({ ...setup, env: {} }).finish());
  // The encoding of the initializer's arguments is the job's.
  if (setup.initializer !== undefined) key.update(String(options.encoding));
  return `${key.digest('hex')} ${groupOf(job)}`;
}

/** Whose children run a job: its group's, or its own. */
export function groupOf({ jobId, options }: JobSetup): string {
  return options?.group?.id || jobId;
}

/** The group that children of a key serve. */
export function groupOfKey(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

function poolTask(task: WireTask | undefined, paths: ReadonlyMap<string, string>): TaskRef {
  const source = task?.function;
  if (task === undefined || source === undefined || source.$case === 'named') {
    throw new ShoalError('INTERNAL', { reason: 'a job came without a function that could be run' });
  }
  const { name } = task;
  if (source.$case === 'inlineSource') return { name, kind: 'inline', source: source.value };
  const path = paths.get(source.value.bundleSha256);
  if (path === undefined) throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: source.value.bundleSha256 });
  const url = pathToFileURL(path).href;
  if (source.$case === 'moduleExport') {
    return { name, kind: 'export', url, export: source.value.export || 'default' };
  }
  const { origin, ordinal } = source.value;
  return { name, kind: 'registered', url, origin, ordinal };
}

function bundleOf(task: WireTask | undefined): string | undefined {
  const source = task?.function;
  return source?.$case === 'moduleExport' || source?.$case === 'registered'
    ? source.value.bundleSha256
    : undefined;
}

function retryOn({ retryOn: asked }: JobOptions): Pick<ChunkRequest, 'retryOn'> {
  switch (asked?.rule?.$case) {
    case 'names':
      return { retryOn: { names: asked.rule.value.names } };
    case 'predicateSource':
      return { retryOn: { source: asked.rule.value } };
    default:
      return {};
  }
}

function smallest(...values: readonly (number | undefined)[]): number | undefined {
  const given = values.filter((value) => value !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

const encodings: Readonly<Partial<Record<Encoding, PoolEncoding>>> = {
  [Encoding.UNSPECIFIED]: 'json',
  [Encoding.V8]: 'v8',
  [Encoding.JSON]: 'json',
  [Encoding.BYTES]: 'bytes',
};

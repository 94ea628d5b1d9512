import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { checkOptionKinds, checkPath, labelFault, quotedText, ShoalError, timerMsMax } from '@shoal/errors';
import { type IsolationLevel, isolationLevels, usableCpus } from '@shoal/pool';
import { limits, ownPeer } from '@shoal/protocol';
import { usableMemory } from './host-info.ts';
import type { AgentIsolation } from './isolation/child-isolation.ts';
import { type Log, stderrLog } from './log.ts';
import { optionKinds } from './option-kinds.ts';

/** What an agent is started with. Only `join` is needed. */
export interface AgentConfig {
  /** `HOST:PORT` of the coordinator. The agent dials out; nothing ever connects to it. */
  readonly join: string;
  /**
   * Unique in the cluster. Default: the name in its certificate; without one host name, pid and four random digits. At
   * most 100 characters.
   */
  readonly name?: string;
  /**
   * A folder with `ca.crt`, and with `client.crt` and `client.key` where the agent has a certificate: connections are
   * encrypted then. Joining with a token writes them there. Default: none; with a token to join with `shoal-agent-tls`.
   */
  readonly tlsDir?: string;
  /**
   * A token to join with (`shoal token create`), exchanged for a certificate where `tlsDir` holds none that is good; or
   * the secret of the coordinator's token file. Default: none.
   */
  readonly token?: string;
  /** Join another machine without encryption. Default false; it is warned of, at the start and every minute. */
  readonly insecure?: boolean;
  /** Task functions that run at once, one process each. Default: the CPUs usable here. 1 to 1,024. */
  readonly processes?: number;
  /** Replace a child after so many tasks, whatever a job asks for: the smaller of both counts. Default: the job's. */
  readonly maxTasksPerChild?: number;
  /**
   * What jobs can ask for: `{ gpu: 'a100' }`. Default none. At most 64. A name has 1 to 100 letters, digits, `.`, `_`, `-`
   * and `/`, and starts with a letter or a digit; a value has 1 to 100 characters, none of them a control character.
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * What a child may have resident, in bytes, before it is replaced between two items; an item that takes its child
   * over twice this is killed with it. Holds for jobs that set no limit, and bounds the limits of others. Default: the
   * job's. From 1,048,576.
   */
  readonly maxRssBytes?: number;
  /**
   * How children are started: `'spawn'` forks none, whatever a job asks for; `'fork'` and `'auto'` hold for jobs that do not
   * say. See docs/fork-server.md. Default: as the job asks, and spawned where it does not say.
   */
  readonly startChildren?: 'auto' | 'spawn' | 'fork';
  /**
   * How children are kept away from this machine and from each other: `process`, `permission`, `user` (takes root and
   * `setpriv`) or `container` (takes Docker). What each protects from: docs/isolation.md. A job may ask for more, never for
   * less. Default: `process`.
   */
  readonly isolation?: IsolationLevel;
  /**
   * Users for the isolation `user`, the first and the last one: nothing else on this machine may use them. From 65,536 on,
   * none that /etc/passwd names, at most 100,000, and at least twice as many as `processes`: one that is being cleaned up
   * serves nobody. Default: 1,000 (or twice `processes`) from 1,900,000,000 on that no other agent of this machine has.
   */
  readonly isolationUids?: readonly [first: number, last: number];
  /** The image for the isolation `container`: Shoal's own, of the release of this agent. Default: `shoal:VERSION`. */
  readonly isolationImage?: string;
  /**
   * Memory of a child's container for the isolation `container`, in bytes, swap and its temporary files included: beyond it
   * the kernel ends the child. A smaller `maxRssBytes`, of the agent or of a job, holds in its place. Default: the memory of
   * this machine, divided by `processes`. From 67,108,864.
   */
  readonly isolationMemoryBytes?: number;
  /**
   * CPUs of a child's container for the isolation `container`: so much time of them it gets, however many threads it starts.
   * Default 1. From 0.01 to 1,024.
   */
  readonly isolationCpus?: number;
  /** The folder in which the users' code is kept; one that is missing is made (mode 0700). Default: the system's for temporary files. */
  readonly bundleDir?: string;
  /** Bytes of bundles kept on disk. Default 1 GiB. */
  readonly bundleCacheBytes?: number;
  /**
   * In which encodings items and results may come: `v8` (what the TypeScript client sends), `json`, `bytes`. Jobs in
   * another one go to agents that accept it; where there is none they wait, and say so. Default: all three.
   *
   * What decodes them is the child that runs the user's code. Without `v8` no bytes of a client reach V8's deserializer.
   */
  readonly encodings?: readonly AcceptedEncoding[];
  /** Bytes of results kept for a coordinator that does not take them; beyond it the children wait. Default 32 MiB. */
  readonly maxSpoolBytes?: number;
  /** How long a drain waits for what runs. Default 30,000 ms. `shoal agent --drain-ms`. */
  readonly drainMs?: number;
  /** Where events are logged. Default: JSON lines on stderr. */
  readonly log?: Log;
}

/** An encoding by its name. */
export type AcceptedEncoding = 'v8' | 'json' | 'bytes';

/** All that there are. */
const allEncodings: readonly AcceptedEncoding[] = ['v8', 'json', 'bytes'];

/** A config with every default filled in and every value checked. */
export interface SettledConfig {
  readonly join: string;
  readonly name: string;
  readonly tlsDir: string | undefined;
  readonly token: string | undefined;
  readonly insecure: boolean;
  readonly processes: number;
  readonly maxTasksPerChild: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly maxRssBytes: number | undefined;
  readonly startChildren: 'auto' | 'spawn' | 'fork' | undefined;
  readonly isolation: AgentIsolation;
  readonly bundleDir: string | undefined;
  readonly bundleCacheBytes: number;
  readonly maxSpoolBytes: number;
  readonly encodings: readonly AcceptedEncoding[];
  readonly drainMs: number;
  readonly log: Log;
}

/** Throws what `settleConfig` does. Nothing is started. */
export function checkConfig(config: AgentConfig): void {
  settleConfig(config);
}

/** Checks a config before anything starts. Throws `REQUEST_INVALID`, a TypeError or a RangeError that names the option. */
export function settleConfig(config: AgentConfig): SettledConfig {
  checkOptionKinds('Agent options', config, optionKinds);
  for (const name of ['tlsDir', 'bundleDir'] as const) {
    if (config[name] !== undefined) checkPath(name, config[name]);
  }
  const name = config.name ?? ownName();
  const most = limits.nameChars.default;
  if (!/^[\w.:-]+$/.test(name) || name.length > most) {
    throw invalid('name', `${quotedText(name)} must be 1 to ${most} letters, digits, ".", ":", "-" or "_"`);
  }
  // Whoever writes no TypeScript may leave it out.
  const address: string | undefined = config.join;
  const port = Number(/^(?:\[[^\]]+\]|[^:[\]\s]+):(\d{1,5})$/.exec(address ?? '')?.[1]);
  if (!(port >= 1 && port <= 65_535)) {
    throw invalid(
      'join',
      `${quotedText(address ?? '')} is no address; give HOST:PORT, such as 127.0.0.1:7300`,
    );
  }
  const processes = within('processes', config.processes ?? usableCpus(), { max: 1024 });
  return {
    join: config.join,
    name,
    tlsDir: config.tlsDir,
    token: config.token,
    insecure: config.insecure === true,
    processes,
    maxTasksPerChild:
      config.maxTasksPerChild === undefined ? undefined : within('maxTasksPerChild', config.maxTasksPerChild),
    maxRssBytes:
      config.maxRssBytes === undefined
        ? undefined
        : within('maxRssBytes', config.maxRssBytes, { min: 2 ** 20 }),
    labels: settleLabels(config.labels ?? {}),
    startChildren: config.startChildren === undefined ? undefined : settleStart(config.startChildren),
    isolation: settleIsolation(config, processes),
    bundleDir: config.bundleDir,
    bundleCacheBytes: within('bundleCacheBytes', config.bundleCacheBytes ?? limits.bundleCacheBytes.default),
    maxSpoolBytes: within('maxSpoolBytes', config.maxSpoolBytes ?? limits.spoolBytes.default),
    encodings: settleEncodings(config.encodings ?? allEncodings),
    drainMs: within('drainMs', config.drainMs ?? 30_000, { max: timerMsMax }),
    log: config.log ?? stderrLog(),
  };
}

function settleStart(way: string): 'auto' | 'spawn' | 'fork' {
  if (way === 'auto' || way === 'spawn' || way === 'fork') return way;
  throw invalid('startChildren', `${quotedText(way)} must be auto, spawn or fork`);
}

function within(
  name: string,
  value: number,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): number {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
    throw new RangeError(`${name} must be a whole number ${range}, not ${String(value)}.`);
  }
  return value;
}

/** Less holds no Node. */
const containerBytesMin = 64 * 2 ** 20;
const uids = { min: 65_536, max: 2 ** 31 - 1, most: 100_000 };

function settleIsolation(
  { isolation = 'process', isolationUids, isolationImage, isolationMemoryBytes, isolationCpus }: AgentConfig,
  processes: number,
): AgentIsolation {
  if (!isolationLevels.includes(isolation)) {
    throw invalid('isolation', `${quotedText(isolation)} is none of ${isolationLevels.join(', ')}`);
  }
  if (isolationUids !== undefined && isolation !== 'user') {
    throw invalid('isolationUids', `(--isolation-uids) is for the isolation user, not ${isolation}`);
  }
  const ofContainers = { isolationImage, isolationMemoryBytes, isolationCpus };
  for (const [name, value] of Object.entries(ofContainers)) {
    if (value === undefined || isolation === 'container') continue;
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw invalid(name, `(--${flag}) is for the isolation container, not ${isolation}`);
  }
  const contained = {
    image: isolationImage ?? `shoal:${ownPeer.version}`,
    memoryBytes: within(
      'isolationMemoryBytes',
      isolationMemoryBytes ?? Math.max(containerBytesMin, Math.floor(usableMemory() / processes)),
      { min: containerBytesMin },
    ),
    cpus: settleCpus(isolationCpus ?? 1),
  };
  if (isolationUids === undefined) {
    const firstUid = 1_900_000_000;
    return {
      level: isolation,
      firstUid,
      lastUid: firstUid + Math.max(1_000, 2 * processes) - 1,
      mayMove: true,
      ...contained,
    };
  }
  if (!Array.isArray(isolationUids)) throw invalid('isolationUids', 'must be [first, last]');
  const [firstUid, lastUid] = isolationUids;
  const count = lastUid - firstUid + 1;
  const isRange = Number.isSafeInteger(firstUid) && Number.isSafeInteger(lastUid);
  const isWithin = firstUid >= uids.min && lastUid <= uids.max;
  if (!isRange || !isWithin || count < 2 * processes || count > uids.most) {
    throw invalid(
      'isolationUids',
      `(--isolation-uids) ${firstUid}-${lastUid} must lie within ${uids.min} to ${uids.max}, the first one first, and be ` +
        `${2 * processes} (twice --processes) to ${uids.most} users`,
    );
  }
  return { level: isolation, firstUid, lastUid, ...contained };
}

/** Docker knows hundredths of a CPU. */
function settleCpus(cpus: number): number {
  if (typeof cpus === 'number' && cpus >= 0.01 && cpus <= 1024) return cpus;
  throw new RangeError(`isolationCpus must be a number from 0.01 to 1024, not ${String(cpus)}.`);
}

function settleEncodings(encodings: readonly AcceptedEncoding[]): readonly AcceptedEncoding[] {
  if (!Array.isArray(encodings)) throw invalid('encodings', 'must be a list');
  const unknown = encodings.find((encoding) => !allEncodings.includes(encoding));
  if (unknown !== undefined || encodings.length === 0) {
    throw invalid('encodings', `${quotedText(String(unknown ?? ''))} is none of ${allEncodings.join(', ')}`);
  }
  return [...new Set(encodings)];
}

function settleLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  const most = limits.labelEntries.default;
  if (entries.length > most) throw invalid('labels', `are ${entries.length}, and may be ${most}`);
  for (const [name, value] of entries) {
    const fault = typeof value === 'string' ? labelFault(name, value) : `${name} must be a string`;
    if (fault !== undefined) throw invalid('labels', fault);
  }
  return labels;
}

/** A host may run several agents, and hosts that were cloned may share a name. */
function ownName(): string {
  const host = hostname()
    .replace(/[^\w.-]/g, '-')
    .slice(0, 60);
  return `${host}-${process.pid}-${randomBytes(2).toString('hex')}`;
}

const invalid = (field: string, reason: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason });

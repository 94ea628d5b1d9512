import { bytesText } from '@shoal/errors';
import {
  type AgentInfo,
  AgentState,
  type GetStatusResponse,
  type JobInfo,
  JobState,
  type Protection,
} from '@shoal/protocol';
import { agentRecord, agentTable, agentTroubles, forkLines } from './agent-text.ts';
import { enumWord } from './enum-word.ts';
import { waitingText } from './map/waiting-notice.ts';
import { aligned } from './text-table.ts';

/** What `shoal status` found out. */
export interface StatusReport {
  readonly address: string;
  readonly cluster: GetStatusResponse;
  readonly agents: readonly AgentInfo[];
  readonly jobs: readonly JobInfo[];
}

/** The report as a person reads it: a line for the cluster, a table of the agents, one of the jobs that run. */
export function statusText({ address, cluster, agents, jobs }: StatusReport): string {
  const active = jobs.filter((job) => job.endedUnixMs === 0);
  return [
    `coordinator ${address} ${cluster.coordinator?.version ?? ''}: ${counted(cluster.agents, 'agent')}, ` +
      `${cluster.busySlots} of ${counted(cluster.slots, 'slot')} busy${closedText(agents)}, ` +
      `${counted(cluster.activeJobs, 'job')}, ` +
      `${counted(cluster.queuedItems, 'item')} ${cluster.queuedItems === 1 ? 'waits' : 'wait'}` +
      (cluster.heldBytes === 0 ? '' : `, ${bytesText(cluster.heldBytes)} in memory`) +
      (cluster.spilledBytes === 0 ? '' : `, ${bytesText(cluster.spilledBytes)} on disk`),
    ...(cluster.speculatedItems > 0
      ? [
          `second attempts at ${counted(cluster.speculatedItems, 'item')} that lagged; ` +
            `${grouped(cluster.speculationWins)} came first`,
        ]
      : []),
    ...protectionLines(cluster.protection, Date.now()),
    ...limitLines(cluster),
    ...(agents.length > 0
      ? ['', ...agentTable(agents), ...agentTroubles(agents, Date.now()), ...forkLines(agents)]
      : []),
    ...(active.length > 0 ? ['', ...jobTable(active)] : []),
    '',
  ].join('\n');
}

/** ` (3 get no work)`: slots that are free and cannot be had, for their agents are draining or set aside. */
function closedText(agents: readonly AgentInfo[]): string {
  const closed = agents
    .filter(({ state }) => state === AgentState.DRAINING || state === AgentState.QUARANTINED)
    .reduce((total, { slots, busySlots }) => total + slots - busySlots, 0);
  return closed === 0 ? '' : ` (${grouped(closed)} ${closed === 1 ? 'gets' : 'get'} no work)`;
}

/** The report for programs. States are words, and an agent is what `shoal agents ls` makes of it. */
export function statusRecord({
  address,
  cluster,
  agents,
  jobs,
}: StatusReport): Readonly<Record<string, unknown>> {
  return {
    address,
    cluster,
    agents: agents.map(agentRecord),
    jobs: jobs.map((job) => ({ ...job, state: enumWord(JobState, job.state) })),
  };
}

const soonMs = 7 * 86_400_000;

/** How what is sent is protected, and what is wrong with the files that say so; nothing where a coordinator is on its own machine and open to it. */
export function protectionLines(protection: Protection | undefined, nowMs: number): string[] {
  if (protection?.insecure && !protection.encrypted)
    return ['INSECURE: whoever reaches it can run code on every agent (--insecure)'];
  if (protection === undefined) return [];
  const troubles = protection.troubles.map(
    (each) => `files cannot be used, what they held before stays in force: ${each}`,
  );
  if (!protection.encrypted) return troubles;
  const { certificateExpiresUnixMs, authorityExpiresUnixMs } = protection;
  const untilMs = Math.min(certificateExpiresUnixMs, authorityExpiresUnixMs);
  const day = new Date(untilMs).toISOString().slice(0, 10);
  const help =
    authorityExpiresUnixMs <= certificateExpiresUnixMs
      ? 'its authority ends then: make a new one (docs/several-machines.md, Later)'
      : 'run shoal certs init where the certificates were made';
  const warning = untilMs - nowMs < soonMs ? `: ${help}` : '';
  const revoked = protection.revoked === 0 ? '' : `, ${grouped(protection.revoked)} revoked`;
  return [
    // With certificates it is the metrics alone that nothing protects.
    ...(protection.insecure
      ? ['INSECURE: whoever reaches its HTTP port can read the metrics (--http, --insecure)']
      : []),
    `TLS 1.3, certificate until ${day}${revoked}${warning}`,
    ...troubles,
  ];
}

/** Reached all the time where all is well: programs are told of them, and people would look for what is wrong. */
const routine: readonly string[] = ['keepaliveMs', 'partBytes'];

/**
 * `limits reached (docs/limits.md): connections 12 times, jobs once`, and `held by limits now: windowBytes 2 jobs`; nothing
 * where there is nothing to say.
 */
export function limitLines({
  limitsReached,
  limitsWaiting,
}: Pick<GetStatusResponse, 'limitsReached' | 'limitsWaiting'>): string[] {
  const times = sorted(limitsReached).flatMap(([name, count]) =>
    routine.includes(name) ? [] : [`${name} ${count === 1 ? 'once' : `${grouped(count)} times`}`],
  );
  const held = sorted(limitsWaiting).map(
    ([name, count]) => `${name} ${counted(count, name === 'streamWindowBytes' ? 'call' : 'job')}`,
  );
  return [
    ...(times.length === 0 ? [] : [`limits reached (docs/limits.md): ${times.join(', ')}`]),
    ...(held.length === 0 ? [] : [`held by limits now: ${held.join(', ')}`]),
  ];
}

const sorted = (counts: Readonly<Record<string, number>>): (readonly [string, number])[] =>
  Object.entries(counts).sort(([one], [other]) => one.localeCompare(other));

function jobTable(jobs: readonly JobInfo[]): string[] {
  const rows = jobs.map(({ jobId, task, progress, totalItems }) => [
    jobId,
    task,
    grouped(progress?.succeeded ?? 0),
    grouped(progress?.failed ?? 0),
    totalItems === undefined ? '?' : grouped(totalItems),
    stateText(progress),
  ]);
  return aligned([['JOB', 'TASK', 'DONE', 'FAILED', 'OF', 'STATE'], ...rows]);
}

/** `running`, `waits: all slots busy`, `running, its input held by windowBytes (32 MiB), 3 of 5 second attempts came first`. */
function stateText(progress: JobInfo['progress']): string {
  const { heldBy = '', speculated = 0, speculationWins = 0, waitingFor = '' } = progress ?? {};
  return [
    waitingFor === '' ? 'running' : waitingText(waitingFor),
    ...(heldBy === '' ? [] : [`its input held by ${heldBy}`]),
    ...(speculated === 0
      ? []
      : [`${grouped(speculationWins)} of ${counted(speculated, 'second attempt')} came first`]),
  ].join(', ');
}

const grouped = (value: number): string => value.toLocaleString('en-US');

const counted = (count: number, what: string): string => `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;

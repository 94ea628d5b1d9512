import { bytesText } from '@shoal/errors';
import { type AgentInfo, AgentState, type GetStatusResponse, type JobInfo } from '@shoal/protocol';
import { waitingText } from './map/waiting-notice.ts';

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
      `${cluster.busySlots} of ${counted(cluster.slots, 'slot')} busy, ${counted(cluster.activeJobs, 'job')}, ` +
      `${grouped(cluster.queuedItems)} items wait` +
      (cluster.heldBytes === 0 ? '' : `, ${bytesText(cluster.heldBytes)} in memory`) +
      (cluster.spilledBytes === 0 ? '' : `, ${bytesText(cluster.spilledBytes)} on disk`),
    ...(cluster.speculatedItems > 0
      ? [
          `second attempts at ${counted(cluster.speculatedItems, 'item')} that lagged; ` +
            `${grouped(cluster.speculationWins)} came first`,
        ]
      : []),
    ...(agents.length > 0 ? ['', ...agentTable(agents)] : []),
    ...(active.length > 0 ? ['', ...jobTable(active)] : []),
    '',
  ].join('\n');
}

function agentTable(agents: readonly AgentInfo[]): string[] {
  const rows = agents.map((agent) => [
    agent.name,
    word(agent.state),
    `${agent.busySlots}/${agent.slots}`,
    agent.host?.hostname ?? '',
    agent.agent?.version ?? '',
  ]);
  return aligned([['AGENT', 'STATE', 'BUSY', 'HOST', 'VERSION'], ...rows]);
}

function jobTable(jobs: readonly JobInfo[]): string[] {
  const rows = jobs.map(({ jobId, task, progress, totalItems }) => [
    jobId,
    task,
    grouped(progress?.succeeded ?? 0),
    grouped(progress?.failed ?? 0),
    totalItems === undefined ? '?' : grouped(totalItems),
    progress?.waitingFor === undefined || progress.waitingFor === ''
      ? 'running'
      : waitingText(progress.waitingFor),
  ]);
  return aligned([['JOB', 'TASK', 'DONE', 'FAILED', 'OF', 'STATE'], ...rows]);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A state in small letters: `ready`. */
const word = (state: AgentState): string =>
  Object.entries(AgentState)
    .find(([, value]) => value === state)?.[0]
    .toLowerCase() ?? `state ${state}`;

const grouped = (value: number): string => value.toLocaleString('en-US');

const counted = (count: number, what: string): string => `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;

import { bytesText } from '@shoal/errors';
import type { AgentInfo, GetStatusResponse, JobInfo } from '@shoal/protocol';
import { agentTable } from './agent-text.ts';
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

const grouped = (value: number): string => value.toLocaleString('en-US');

const counted = (count: number, what: string): string => `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;

import { addStarts } from './child-starts.ts';
import type { AgentStats, ChildStarts } from './gen/shoal/v1/cluster.ts';
import type { GroupStats } from './gen/shoal/v1/job.ts';
import { limits } from './limits.ts';

/** What an agent said last. */
interface ReportingAgent {
  readonly name: string;
  readonly stats?: AgentStats | undefined;
}

/** The processes of a group, out of those of all agents: the first ones, and how many more there are. */
export function groupStatsOf(agents: Iterable<ReportingAgent>, group: string): GroupStats {
  const starts: ChildStarts = { spawned: 0, forked: 0, notForked: '' };
  const sum: GroupStats = { processes: [], recycled: 0, deaths: 0, starts, unlistedProcesses: 0 };
  for (const { name, stats } of agents) {
    for (const losses of stats?.groupLosses ?? []) {
      if (losses.groupId !== group) continue;
      sum.recycled += losses.recycled;
      sum.deaths += losses.deaths;
      addStarts(starts, name, losses.starts);
    }
    for (const child of stats?.processes ?? []) {
      if (child.groupId !== group) continue;
      if (sum.processes.length < limits.listedProcesses.default)
        sum.processes.push({ ...child, agent: name });
      else sum.unlistedProcesses += 1;
    }
  }
  return sum;
}

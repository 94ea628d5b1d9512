import { type AgentInfo, AgentState } from '@shoal/protocol';
import { aligned } from './text-table.ts';

/** Agents as `shoal agents ls` shows them. Without any, only the head of the table. */
export function agentList(agents: readonly AgentInfo[]): string {
  const rows = agents.map((agent) => [
    ...cells(agent),
    Object.entries(agent.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(','),
  ]);
  return `${aligned([[...head, 'LABELS'], ...rows]).join('\n')}\n`;
}

/** Agents as a part of `shoal status`. */
export function agentTable(agents: readonly AgentInfo[]): string[] {
  return aligned([head, ...agents.map(cells)]);
}

/** An agent for programs: what the table shows and what it leaves out. */
export function agentRecord(agent: AgentInfo): Readonly<Record<string, unknown>> {
  const { name, slots, busySlots, heldAttempts, labels, host, session, joinedUnixMs, silentForMs } = agent;
  return {
    name,
    state: agentState(agent),
    slots,
    busySlots,
    heldAttempts,
    labels,
    hostname: host?.hostname ?? '',
    version: agent.agent?.version ?? '',
    session,
    joinedUnixMs,
    silentForMs,
    processes: (agent.stats?.processes ?? []).map(({ pid, rssBytes, tasksRun }) => ({
      pid,
      rssBytes,
      tasksRun,
    })),
  };
}

/** What an agent is doing, in a word: `ready`, `draining`, `disconnected`, `quarantined`. */
export const agentState = ({ state }: AgentInfo): string =>
  Object.entries(AgentState)
    .find(([, value]) => value === state)?.[0]
    .toLowerCase() ?? `state ${state}`;

const head = ['AGENT', 'STATE', 'BUSY', 'HOST', 'VERSION'];

const cells = (agent: AgentInfo): string[] => [
  agent.name,
  agentState(agent),
  `${agent.busySlots}/${agent.slots}`,
  agent.host?.hostname ?? '',
  agent.agent?.version ?? '',
];

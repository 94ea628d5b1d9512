import { type AgentInfo, AgentState } from '@shoal/protocol';
import { enumWord } from './enum-word.ts';
import { aligned } from './text-table.ts';

/** Agents as `shoal agents ls` shows them. Without any, only the head of the table. */
export function agentList(agents: readonly AgentInfo[]): string {
  const rows = agents.map((agent) => [
    ...cells(agent),
    Object.entries(agent.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(','),
  ]);
  return `${[...aligned([[...head, 'LABELS'], ...rows]), ...agentTroubles(agents)].join('\n')}\n`;
}

/** Agents as a part of `shoal status`. */
export function agentTable(agents: readonly AgentInfo[]): string[] {
  return aligned([head, ...agents.map(cells)]);
}

/** What keeps agents from some of their work, as they say: a line each. */
export function agentTroubles(agents: readonly AgentInfo[]): string[] {
  return agents.flatMap(({ name, stats }) => stats?.troubles.map((trouble) => `${name}: ${trouble}`) ?? []);
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
    troubles: agent.stats?.troubles ?? [],
    processes: (agent.stats?.processes ?? []).map(({ pid, rssBytes, tasksRun }) => ({
      pid,
      rssBytes,
      tasksRun,
    })),
  };
}

/** What an agent is doing, in a word: `ready`, `draining`, `disconnected`, `quarantined`. */
export const agentState = ({ state }: AgentInfo): string => enumWord(AgentState, state);

const head = ['AGENT', 'STATE', 'BUSY', 'HOST', 'VERSION'];

const cells = (agent: AgentInfo): string[] => [
  agent.name,
  agentState(agent),
  `${agent.busySlots}/${agent.slots}`,
  agent.host?.hostname ?? '',
  agent.agent?.version ?? '',
];

import { countedText, countText } from '@shoal/errors';
import { type AgentInfo, AgentState, Isolation } from '@shoal/protocol';
import { enumWord } from './enum-word.ts';
import { aligned, oneLine } from './text-table.ts';

/** Agents as `shoal agents ls` shows them. Without any, only the head of the table. */
export function agentList(agents: readonly AgentInfo[], nowMs: number = Date.now()): string {
  const rows = agents.map((agent) => [
    ...cells(agent),
    Object.entries(agent.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(','),
  ]);
  const lines = [
    ...aligned([[...head, 'LABELS'], ...rows]),
    ...agentTroubles(agents, nowMs),
    ...forkLines(agents),
  ];
  return `${lines.join('\n')}\n`;
}

/** Agents as a part of `shoal status`. */
export function agentTable(agents: readonly AgentInfo[]): string[] {
  return aligned([head, ...agents.map(cells)]);
}

/** What keeps agents from some of their work, as they say, or will: a line each. */
export function agentTroubles(agents: readonly AgentInfo[], nowMs: number): string[] {
  return agents.flatMap((agent) => {
    const { certificateExpiresUnixMs, joinedUnixMs, name, stats } = agent;
    const expires = expiry(name, certificateExpiresUnixMs, joinedUnixMs, nowMs);
    return [...(stats?.troubles ?? []), ...expires, ...lastError(agent)].map((trouble) =>
      oneLine(`${name}: ${trouble}`),
    );
  });
}

/** How agents have started processes that were to be forked (docs/fork-server.md): a line each, and why some were not. */
export function forkLines(agents: readonly AgentInfo[]): string[] {
  return agents.flatMap(({ name, stats }) => {
    const { spawned, forked, notForked } = stats?.starts ?? { spawned: 0, forked: 0, notForked: '' };
    if (forked === 0 && notForked === '') return [];
    const why = notForked === '' ? '' : `: ${notForked}`;
    return [
      oneLine(
        `${name}: ${countedText(forked, 'process', 'processes')} forked, ${countText(spawned)} spawned${why}`,
      ),
    ];
  });
}

/** Why the coordinator has ended its session before this one. */
function lastError({ lastError: said, lastErrorUnixMs }: AgentInfo): string[] {
  if (said === '') return [];
  const at = new Date(lastErrorUnixMs).toISOString().replace(/\.\d+Z/, 'Z');
  return [`its session was ended at ${at}: ${said}`];
}

const soonMs = 7 * 86_400_000;
const selfRenewedMs = 2 * 86_400_000;

/**
 * A certificate that ends within a week. One that lasts for a day is renewed by its agent when half of it is over, while
 * the connection that it was shown for goes on: there the end of what was shown says nothing.
 */
function expiry(name: string, untilMs: number, joinedMs: number, nowMs: number): string[] {
  if (untilMs === 0 || untilMs - nowMs > soonMs || untilMs - joinedMs <= selfRenewedMs) return [];
  const until = new Date(untilMs).toISOString().slice(0, 10);
  const ends = untilMs <= nowMs ? `ended on ${until}` : `ends on ${until}`;
  return [`its certificate ${ends}: shoal certs issue ${name} --role agent makes another`];
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
    isolation: agentIsolation(agent),
    hostname: host?.hostname ?? '',
    version: agent.agent?.version ?? '',
    session,
    joinedUnixMs,
    silentForMs,
    certificateExpiresUnixMs: agent.certificateExpiresUnixMs,
    troubles: agent.stats?.troubles ?? [],
    lastError: agent.lastError,
    lastErrorUnixMs: agent.lastErrorUnixMs,
    starts: agent.stats?.starts,
    processes: (agent.stats?.processes ?? []).map(({ pid, rssBytes, tasksRun }) => ({
      pid,
      rssBytes,
      tasksRun,
    })),
  };
}

/** What an agent is doing, in a word: `ready`, `draining`, `disconnected`, `quarantined`. */
export const agentState = ({ state }: AgentInfo): string => enumWord(AgentState, state);

/** How it keeps its processes apart (docs/isolation.md), in a word: `process`, `user`, …; empty where it does not say. */
const agentIsolation = ({ isolation }: AgentInfo): string =>
  isolation === Isolation.UNSPECIFIED ? '' : enumWord(Isolation, isolation);

const head = ['AGENT', 'STATE', 'BUSY', 'HOST', 'VERSION', 'ISOLATION'];

const cells = (agent: AgentInfo): string[] => [
  agent.name,
  agentState(agent),
  `${agent.busySlots}/${agent.slots}`,
  agent.host?.hostname ?? '',
  agent.agent?.version ?? '',
  agentIsolation(agent),
];

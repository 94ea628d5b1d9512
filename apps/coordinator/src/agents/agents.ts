import type { RevocableCertificate, RevocationList } from '@shoal/credentials';
import { countedText, nearestName, ShoalError } from '@shoal/errors';
import {
  AgentInfo,
  AgentState,
  type AgentStats,
  type ControlResponse,
  type GroupStats,
  groupStatsOf,
  type Join,
  type LimitName,
  type ListAgentsRequest,
  type ListAgentsResponse,
  limits,
  type NamedVersion,
} from '@shoal/protocol';
import type { SessionId } from '@shoal/scheduler';
import type { Identity } from '../access/identity.ts';
import type { Driver } from '../driver.ts';
import { encodingName } from '../encoding-name.ts';
import type { Groups } from '../jobs/groups.ts';
import type { PayloadVault } from '../payloads/payload-vault.ts';
import type { EventFeed } from '../watch/event-feed.ts';
import { pageOf } from '../watch/page.ts';
import { AgentSession, type SessionStream } from './agent-session.ts';
import { boundedStats } from './agent-stats.ts';
import { checkJoin, checkSlots } from './join-check.ts';

/** What {@link Agents} works with. */
export interface AgentsParts {
  readonly driver: Driver;
  readonly vault: PayloadVault;
  readonly feed: EventFeed;
  readonly groups: Groups;
  readonly epoch: number;
  readonly maxAgentSlots: number;
  readonly maxLabels: number;
  readonly maxResultBytes: number;
  /** What is sent to an agent, or of a list, in one message. */
  readonly partBytes: number;
  /** Counts a limit that an agent has reached. */
  readonly onLimit: (limit: LimitName, agent: string) => void;
}

interface KnownAgent {
  readonly join: Join;
  readonly session: AgentSession;
  readonly joinedUnixMs: number;
  /** The one that it showed; undefined: none. */
  readonly certificate: RevocableCertificate | undefined;
  /** 0: it showed none. */
  certificateExpiresUnixMs: number;
  stats: AgentStats | undefined;
  /** Why its session before this one was ended with an error; undefined: it was not. */
  readonly earlierFailure: AgentSession['failure'];
  /** When its session ended, on the driver's clock; undefined while it lasts. */
  goneAtMs: number | undefined;
}

/** So many names are told to somebody who got one wrong. */
const namesListedMax = 20;

/** The agents by name: who has joined, in which session, with which processes. */
export class Agents {
  readonly #parts: AgentsParts;
  readonly #known = new Map<string, KnownAgent>();
  /** Those that last. */
  readonly #open = new Map<SessionId, AgentSession>();
  #sessions = 0;

  constructor(parts: AgentsParts) {
    this.#parts = parts;
  }

  /** Opens a session, for an agent that is known to be `caller`. Throws `AGENT_NAME_TAKEN`, `VERSION_MISMATCH` or `REQUEST_INVALID`. */
  join(
    join: Join,
    control: SessionStream<ControlResponse>,
    caller: Pick<Identity, 'certificate' | 'validToMs'> | undefined,
  ): AgentSession {
    const { driver, epoch, feed } = this.#parts;
    checkJoin(join, this.#parts);
    this.#sessions += 1;
    const id: SessionId = this.#sessions;
    const session = new AgentSession(id, join.agentName, {
      driver,
      vault: this.#parts.vault,
      epoch,
      control,
      messageBytes: this.#parts.partBytes,
      maxResultBytes: this.#parts.maxResultBytes,
      onOver: (over) => this.#sessionOver(over),
    });
    const { agentName: agent, instance, labels, slots } = join;
    const held = join.held.map((each) => ({ attempt: each.attempt, job: each.jobId, epoch: each.epoch }));
    driver.links.set(id, session);
    // One of an older release does not say what it takes: it refuses what it gets.
    const encodings = join.encodings.length === 0 ? {} : { encodings: join.encodings.map(encodingName) };
    driver.step({
      type: 'joinReceived',
      session: id,
      agent,
      instance,
      slots,
      labels,
      ...encodings,
      keepsGroupSlots: join.keepsGroupSlots,
      held,
    });
    if (session.refused) {
      driver.links.delete(id);
      feed.tell(
        'agent.refused',
        { agent, code: 'AGENT_NAME_TAKEN' },
        `another agent under the name ${agent} was refused: one is connected`,
        'warn',
      );
      throw new ShoalError('AGENT_NAME_TAKEN', { agent });
    }
    this.#open.set(id, session);
    const earlierFailure = this.#known.get(agent)?.session.failure;
    this.#known.set(agent, {
      join,
      session,
      joinedUnixMs: Date.now(),
      certificate: caller?.certificate,
      certificateExpiresUnixMs: caller?.validToMs ?? 0,
      stats: undefined,
      earlierFailure,
      goneAtMs: undefined,
    });
    feed.tell(
      'agent.joined',
      { agent, session: id, slots, held: held.length },
      `agent ${agent} joined with ${countedText(slots, 'slot')}`,
    );
    return session;
  }

  /**
   * Whether an agent has this name: it is connected, or may be back in a moment. One whose certificate was revoked has it no more:
   * it cannot come back with that, and its place is kept for nobody.
   */
  hasName(name: string, revocations: RevocationList): boolean {
    if (!this.list().some((agent) => agent.name === name)) return false;
    const certificate = this.#known.get(name)?.certificate;
    return certificate === undefined || !revocations.has(certificate);
  }

  /** An agent has another certificate, which it will show with its next connection. */
  renewed(name: string, certificateExpiresUnixMs: number): void {
    const known = this.#known.get(name);
    if (known !== undefined) known.certificateExpiresUnixMs = certificateExpiresUnixMs;
  }

  /** The session that a data stream belongs to. Throws `SESSION_STALE`. */
  session(id: SessionId, epoch: number): AgentSession {
    const found = this.#open.get(id);
    if (found === undefined || epoch !== this.#parts.epoch) {
      // It may have been ended before its second stream was here: whichever its agent hears of first has the reason.
      const ended = [...this.#known.values()].find(({ session }) => session.session === id)?.session.failure;
      throw epoch === this.#parts.epoch && ended !== undefined
        ? ended.error
        : new ShoalError('SESSION_STALE', { session: id });
    }
    return found;
  }

  statsReported(session: AgentSession, stats: AgentStats | undefined): void {
    const known = this.#known.get(session.agent);
    if (known?.session !== session || stats === undefined) return;
    const told = boundedStats(stats, limits.reportBytes.default);
    if (told !== stats) this.#parts.onLimit('reportBytes', session.agent);
    known.stats = told;
    if (told.troubles.length === 0) session.lacksNothing();
    this.#forgetGroups(session, told);
  }

  /** Told with each heartbeat anew, so that none is left behind by a session, or a coordinator, that ended. */
  #forgetGroups(session: AgentSession, { groupLosses, processes }: AgentStats): void {
    const groups = new Set([...processes, ...groupLosses].map(({ groupId }) => groupId));
    const groupIds = [...groups].filter((group) => group !== '' && !this.#parts.groups.isOpen(group));
    if (groupIds.length > 0) session.tell({ $case: 'forgetGroups', value: { groupIds } });
  }

  /** It has so many processes from now on. Throws `REQUEST_INVALID` for more than an agent may have. */
  slotsChanged(session: AgentSession, slots: number): void {
    if (this.#known.get(session.agent)?.session !== session || slots < 1) return;
    checkSlots(slots, this.#parts.maxAgentSlots);
    this.#parts.driver.step({ type: 'slotsChanged', session: session.session, slots });
  }

  /** Ends every session: the coordinator stops. */
  shutDown(): void {
    for (const session of [...this.#open.values()]) session.shutDown();
  }

  /** Every agent that is connected or may be back soon, by name. */
  list(): AgentInfo[] {
    const { agents } = this.#parts.driver.machine.snapshot().scheduler;
    const infos = agents.flatMap((agent) => {
      const known = this.#known.get(agent.agent);
      if (known === undefined) return [];
      const failure = known.session.failure ?? known.earlierFailure;
      return [
        AgentInfo.fromPartial({
          name: agent.agent,
          state: states[agent.state],
          agent: known.join.agent,
          slots: agent.slots,
          busySlots: Math.min(agent.slots, agent.attempts),
          heldAttempts: agent.attempts,
          labels: agent.labels,
          host: known.join.host,
          session: agent.session,
          joinedUnixMs: known.joinedUnixMs,
          silentForMs: Math.max(0, Math.round(agent.silentForMs)),
          stats: known.stats,
          certificateExpiresUnixMs: known.certificateExpiresUnixMs,
          isolation: known.join.isolation,
          lastError: failure === undefined ? '' : `${failure.error.code}: ${failure.error.message}`,
          lastErrorUnixMs: failure?.unixMs ?? 0,
        }),
      ];
    });
    return infos.sort((a, b) => (isBehind(a.name, b.name) ? 1 : -1));
  }

  /** The same in pages, with the processes of one group alone where it is named. */
  page({ groupId, pageToken }: ListAgentsRequest): ListAgentsResponse {
    const all = this.list();
    const rest = pageToken === '' ? all : all.filter(({ name }) => isBehind(name, pageToken));
    const shown = groupId === '' ? rest : rest.map((agent) => ofGroup(agent, groupId));
    const bytesOf = (agent: AgentInfo): number => AgentInfo.encode(agent).finish().byteLength;
    const { hasMore, items } = pageOf(shown, bytesOf, this.#parts.partBytes);
    return { agents: [...items], nextPageToken: hasMore ? (items.at(-1)?.name ?? '') : '' };
  }

  /** Which release each agent is of, by name. */
  versions(): NamedVersion[] {
    return this.list().map(({ agent, name }) => ({ name, version: agent?.version ?? 'unknown' }));
  }

  /** One agent. Throws `AGENT_NOT_FOUND`. */
  info(name: string): AgentInfo {
    const all = this.list();
    const found = all.find((agent) => agent.name === name);
    if (found !== undefined) return found;
    const names = all.map((agent) => agent.name);
    const near = nearestName(name, names);
    const listed = names.slice(0, namesListedMax).join(', ') || 'none';
    const agents = names.length > namesListedMax ? `${listed}, … (${names.length} in all)` : listed;
    const suggestion = near === undefined ? '' : `Did you mean ${near}?`;
    throw new ShoalError('AGENT_NOT_FOUND', { agent: name, agents, suggestion });
  }

  /** An operator takes an agent out of service: also the next process of that name, until it is resumed. */
  drain(name: string): AgentInfo {
    this.info(name);
    this.#parts.driver.step({ type: 'drainRequested', agent: name, untilResumed: true });
    this.#known.get(name)?.session.tell({ $case: 'drain', value: {} });
    return this.info(name);
  }

  /** An operator puts an agent back into service. */
  resume(name: string): AgentInfo {
    this.info(name);
    this.#parts.driver.step({ type: 'resumeRequested', agent: name });
    this.#known.get(name)?.session.tell({ $case: 'resume', value: {} });
    return this.info(name);
  }

  /** The processes that serve a group, as of the agents' last heartbeats. */
  groupStats(group: string): GroupStats {
    const told = [...this.#known].map(([name, { stats }]) => ({ name, stats }));
    return groupStatsOf(told, group);
  }

  #sessionOver(session: AgentSession): void {
    const { driver, feed } = this.#parts;
    driver.links.delete(session.session);
    this.#open.delete(session.session);
    for (const job of driver.jobs.values()) job.holders.delete(session);
    session.lacksNothing();
    const known = this.#known.get(session.agent);
    if (known?.session !== session) return;
    known.stats = undefined;
    known.goneAtMs = driver.now();
    this.#forgetLongGone();
    const { agent, failure, session: id, orderly } = session;
    if (orderly) {
      this.#known.delete(agent);
      feed.tell('agent.left', { agent, session: id }, `agent ${agent} left`);
    } else if (failure === undefined) {
      const message = `agent ${agent} is disconnected; it may be back in a moment`;
      feed.tell('agent.disconnected', { agent, session: id }, message);
    } else {
      const { code, message: why } = failure.error;
      const message = `the session of agent ${agent} was ended: ${why}`;
      feed.tell('agent.disconnected', { agent, session: id, code }, message, 'warn');
    }
  }

  /** An agent that has a name of its own in each life would leave one behind each time. */
  #forgetLongGone(): void {
    const { driver } = this.#parts;
    const since = driver.now() - 10 * driver.machine.timing().leaseMs;
    for (const [name, { goneAtMs }] of this.#known) {
      if (goneAtMs !== undefined && goneAtMs < since) this.#known.delete(name);
    }
  }
}

/** The order of names in lists: that of their characters, so that a page begins where the one before it has ended. */
const isBehind = (name: string, other: string): boolean => name > other;

function ofGroup(agent: AgentInfo, group: string): AgentInfo {
  const { stats } = agent;
  if (stats === undefined) return agent;
  const ofIts = <T extends { readonly groupId: string }>(list: readonly T[]): T[] =>
    list.filter(({ groupId }) => groupId === group);
  return {
    ...agent,
    stats: { ...stats, processes: ofIts(stats.processes), groupLosses: ofIts(stats.groupLosses) },
  };
}

const states = {
  live: AgentState.READY,
  reconnecting: AgentState.DISCONNECTED,
  draining: AgentState.DRAINING,
  setAside: AgentState.QUARANTINED,
} as const;

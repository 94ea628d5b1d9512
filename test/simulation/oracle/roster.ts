import type { CoordinatorCommand, CoordinatorEvent } from '@shoal/coordinator/core';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { Drains } from './drains.ts';
import type { Leases } from './leases.ts';

/** An agent from its admission to its loss. */
interface Member {
  readonly session: number;
  slots: number;
  isConnected: boolean;
  /** When its stream closed, on the clock of leases. */
  closedAtMs: number | undefined;
  /** It was silent for a lease in this very step. */
  isSilent: boolean;
}

/** How an agent has behaved, in all its sessions. */
interface Conduct {
  starts: number[];
  times: number;
  setAsideUntilMs: number;
}

/** From the contract: five sessions in a minute, and an agent gets nothing for 30 s, doubling to 5 min. */
const flapSessions = 5;
const flapWithinMs = 60_000;
const quarantineMs = 30_000;
const quarantineMsMax = 300_000;
/** From the contract: so long an agent whose stream closed may take to come back. */
const graceMs = 3_000;

/** Agents as the coordinator has heard of them: who is there, who may get work, and who is given up, and when. */
export class Roster {
  readonly #world: World;
  readonly #drains: Drains;
  readonly #leases: Leases;
  readonly #members = new Map<string, Member>();
  readonly #conducts = new Map<string, Conduct>();
  /** By session: who asked to be taken in. */
  readonly #asked = new Map<number, { readonly agent: string; readonly slots: number }>();

  constructor(world: World, drains: Drains, leases: Leases) {
    this.#world = world;
    this.#drains = drains;
    this.#leases = leases;
  }

  /** Whose session this is, as long as it is that agent's latest. */
  agentOf(session: number): string | undefined {
    const agent = this.#asked.get(session)?.agent;
    return agent !== undefined && this.#members.get(agent)?.session === session ? agent : undefined;
  }

  /** Who asked for this session, whatever came of it. */
  whoAsked(session: number): string | undefined {
    return this.#asked.get(session)?.agent;
  }

  /** Processes that an agent has, as it has said last. */
  slotsOf(agent: string): number {
    return this.#members.get(agent)?.slots ?? 0;
  }

  /** Whether an agent other than this one, with these labels, takes work now, beyond doubt. */
  hasAnother(than: string, labels: Readonly<Record<string, string>>, nowMs: number): boolean {
    for (const [name, { isConnected }] of this.#members) {
      if (name === than || !isConnected || this.#drains.has(name)) continue;
      const backMs = this.#conducts.get(name)?.setAsideUntilMs ?? 0;
      // A coordinator that has just woken up looks at its clock after all that waited for it.
      if (backMs > 0 && (backMs + 2_000 > nowMs || !this.#isAwake())) continue;
      const has = this.#world.agentPlan(name)?.labels ?? {};
      if (Object.entries(labels).every(([label, value]) => has[label] === value)) return true;
    }
    return false;
  }

  heard(event: CoordinatorEvent): void {
    if (event.type === 'joinReceived') {
      const { agent, session, slots } = event;
      this.#asked.set(session, { agent, slots });
    } else if (event.type === 'slotsChanged') {
      const member = this.#members.get(this.agentOf(event.session) ?? '');
      if (member !== undefined) member.slots = event.slots;
    } else if (event.type === 'sessionClosed') this.#closed(event.session, event.orderly);
  }

  said(command: CoordinatorCommand, nowMs: number): void {
    switch (command.type) {
      case 'admitAgent':
        this.#admitted(command.session, nowMs);
        return;
      case 'endSession': {
        const member = this.#members.get(this.agentOf(command.session) ?? '');
        if (member === undefined || command.reason !== 'silent') return;
        member.isSilent = true;
        member.isConnected = false;
        member.closedAtMs ??= this.#leases.nowMs;
        return;
      }
      case 'dispatch':
        this.#given(command.agent, command.attempt, nowMs);
        return;
      case 'note':
        if (command.note.what === 'agentLost') this.#lost(command.note.agent);
        return;
    }
  }

  stepped(): void {
    for (const member of this.#members.values()) member.isSilent = false;
  }

  /** Whoever has not come back in time has to be lost by now. */
  inspect(): void {
    if (!this.#isAwake()) return;
    for (const [agent, { closedAtMs, isConnected }] of this.#members) {
      const goneMs = isConnected ? 0 : this.#leases.nowMs - (closedAtMs ?? this.#leases.nowMs);
      must(
        goneMs <= graceMs + 250,
        'G17',
        () => `${agent} has been without a connection for ${Math.round(goneMs)} ms and is not lost`,
        { agent },
      );
    }
  }

  coordinatorRestarted(): void {
    this.#members.clear();
    this.#conducts.clear();
    this.#asked.clear();
  }

  #isAwake(): boolean {
    const { host, wokeAtMs } = this.#world.coordinator;
    return host.now() - wokeAtMs > 1_500;
  }

  #admitted(session: number, nowMs: number): void {
    const asked = this.#asked.get(session);
    if (asked === undefined) return;
    const { agent, slots } = asked;
    this.#members.set(agent, { session, slots, isConnected: true, closedAtMs: undefined, isSilent: false });
    const conduct = this.#conductOf(agent, nowMs);
    if (nowMs < conduct.setAsideUntilMs) return;
    conduct.starts = [...conduct.starts.filter((startMs) => startMs > nowMs - flapWithinMs), nowMs];
    if (conduct.starts.length < flapSessions) return;
    conduct.starts = [];
    conduct.setAsideUntilMs = nowMs + Math.min(quarantineMsMax, quarantineMs * 2 ** conduct.times);
    conduct.times += 1;
  }

  /** Good conduct for the longest time is a new beginning. */
  #conductOf(agent: string, nowMs: number): Conduct {
    const known = this.#conducts.get(agent);
    if (known !== undefined) {
      const lastMs = Math.max(known.setAsideUntilMs, known.starts.at(-1) ?? 0);
      if (lastMs + quarantineMsMax > nowMs) return known;
    }
    const fresh = { starts: [], times: 0, setAsideUntilMs: 0 };
    this.#conducts.set(agent, fresh);
    return fresh;
  }

  #closed(session: number, isOrderly: boolean): void {
    const agent = this.agentOf(session);
    const member = agent === undefined ? undefined : this.#members.get(agent);
    if (agent === undefined || member === undefined || !member.isConnected) return;
    member.isConnected = false;
    member.closedAtMs = this.#leases.nowMs;
    if (!isOrderly) return;
    this.#conducts.get(agent)?.starts.pop();
    this.#members.delete(agent);
  }

  #given(agent: string, attempt: number, nowMs: number): void {
    const untilMs = this.#conducts.get(agent)?.setAsideUntilMs ?? 0;
    must(
      nowMs >= untilMs - 1,
      'G9',
      () =>
        `${agent} comes and goes, and gets attempt ${attempt} ${Math.round(untilMs - nowMs)} ms too early`,
      { agent, attempt },
    );
    must(
      this.#members.get(agent)?.isConnected === true,
      'G17',
      () => `${agent} is not connected and gets attempt ${attempt}`,
      { agent, attempt },
    );
  }

  #lost(agent: string): void {
    const member = this.#members.get(agent);
    this.#members.delete(agent);
    if (member === undefined || member.isSilent) return;
    const goneMs = this.#leases.nowMs - (member.closedAtMs ?? this.#leases.nowMs);
    must(
      goneMs >= graceMs - 1,
      'G17',
      () => `${agent} is lost ${Math.round(goneMs)} ms after its stream closed; it may take ${graceMs}`,
      { agent },
    );
  }
}

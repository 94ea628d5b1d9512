import type { Attempt } from '../attempts/attempt.ts';
import { Countdown, type LeaseClock } from '../attempts/leases.ts';
import type { Settlement } from '../attempts/settlement.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type {
  AgentJoined,
  DrainRequested,
  HeartbeatReceived,
  HeldAttempt,
  SessionClosed,
  SlotsChanged,
} from '../event.ts';
import type { AgentName, AttemptId, SessionId } from '../identity.ts';
import type { Turn } from '../jobs/turn.ts';
import type { SchedulerOptions } from '../options.ts';
import { Heap } from '../structures/heap.ts';
import { RecentNames } from '../structures/recent-names.ts';
import { Agent } from './agent.ts';
import { Quarantine } from './quarantine.ts';

/**
 * The lives of agents: who is connected, who is gone, and which attempts they hold.
 *
 * A session is part of an agent's identity: news of a session that is over is no news. An agent's attempts go with
 * it from one session to the next as far as it says that it still holds them.
 */
export class Fleet {
  lost = 0;
  readonly #turn: Turn;
  readonly #clock: LeaseClock;
  readonly #dispatcher: Dispatcher;
  readonly #settlement: Settlement;
  readonly #confirmMs: () => number;
  readonly #quarantine: Quarantine;
  readonly #sessions: Map<SessionId, Agent> = new Map();
  /** Agents that an operator has drained and not resumed, connected or not. */
  readonly #drained: RecentNames;
  readonly #leases: Countdown<Agent>;
  readonly #graces: Countdown<Agent>;
  readonly #setAside: Heap<Agent> = new Heap(
    (a, b) => (a.setAsideUntilMs as number) < (b.setAsideUntilMs as number),
  );
  /** The highest session seen: sessions rise, so a join that comes twice or late is told by its number. */
  #newest: SessionId = 0;

  constructor(parts: {
    readonly options: SchedulerOptions;
    readonly turn: Turn;
    readonly clock: LeaseClock;
    readonly dispatcher: Dispatcher;
    readonly settlement: Settlement;
    readonly leaseMs: () => number;
    readonly confirmMs: () => number;
  }) {
    this.#turn = parts.turn;
    this.#clock = parts.clock;
    this.#dispatcher = parts.dispatcher;
    this.#settlement = parts.settlement;
    this.#confirmMs = parts.confirmMs;
    this.#quarantine = new Quarantine(parts.options);
    this.#drained = new RecentNames(parts.options.drainsRememberedMax);
    this.#leases = new Countdown(parts.clock, parts.leaseMs);
    this.#graces = new Countdown(parts.clock, () => parts.options.graceMs);
  }

  /** The attempt that this session may speak for; undefined: what it says of it does not count. */
  owned(session: SessionId, attempt: AttemptId): Attempt | undefined {
    const found = this.#dispatcher.attempts.get(attempt);
    return found?.agent.session === session ? found : undefined;
  }

  /** An agent opened a session. */
  joined(event: AgentJoined): void {
    const { session } = event;
    if (session <= this.#newest) return;
    this.#newest = session;
    const known = this.#dispatcher.agents.get(event.agent);
    if (known === undefined) {
      const agent = new Agent(event);
      agent.draining = this.#drained.has(event.agent);
      this.#enter(agent, event);
      return;
    }
    const itself = event.resumes === known.session || event.held.some((held) => this.#holds(known, held));
    if (!itself && this.#isAlive(known)) {
      this.#turn.emit({ type: 'refuseJoin', session, agent: event.agent });
      return;
    }
    this.#takeOver(known, event, itself);
  }

  /** An agent said that it lives, and what it holds. */
  heartbeat({ session, held }: HeartbeatReceived): void {
    const agent = this.#sessions.get(session);
    if (agent === undefined || !agent.connected || agent.permanent) return;
    this.#leases.start(agent);
    this.#confirm(agent, held);
    for (const attempt of agent.attempts) {
      // Not listed: on its way there, or its end on its way here, or lost. The countdown decides.
      const missing = attempt.listedIn !== agent.beats;
      if (missing && !this.#dispatcher.unconfirmed.isRunning(attempt)) {
        this.#dispatcher.unconfirmed.start(attempt);
      }
    }
  }

  /** A session's stream closed. */
  closed({ session, orderly }: SessionClosed): void {
    const agent = this.#sessions.get(session);
    if (agent === undefined || !agent.connected) return;
    agent.connected = false;
    this.#leases.stop(agent);
    if (orderly) {
      this.#quarantine.leftOrderly(agent.name);
      this.#remove(agent, true);
    } else if (agent.permanent) {
      this.#lose(agent);
    } else {
      this.#graces.start(agent);
      this.#dispatcher.refreshAgent(agent);
    }
  }

  /** An agent takes nothing new. */
  drain({ agent: name, untilResumed = false }: DrainRequested): void {
    if (untilResumed) this.#drained.add(name);
    this.#setDraining(name, true);
  }

  /** A drained agent takes work again. */
  resume(name: AgentName): void {
    this.#drained.delete(name);
    this.#setDraining(name, false);
  }

  /**
   * A session said what cannot be. It ends, and what its agent had is given to others as if the agent were lost; one
   * that comes back to lie again is set aside like any other that comes and goes.
   */
  expel(session: SessionId, said: string): void {
    const agent = this.#sessions.get(session);
    if (agent === undefined || agent.permanent) return;
    this.#turn.emit({ type: 'endSession', session, reason: 'brokeProtocol', said });
    const items = openItems(agent);
    this.#turn.emit({ type: 'note', note: { what: 'protocolBroken', agent: agent.name, said, items } });
    this.#leases.stop(agent);
    this.#graces.stop(agent);
    this.#remove(agent, false);
  }

  /** The slots of an agent changed. */
  resized({ session, slots }: SlotsChanged): void {
    const agent = this.#sessions.get(session);
    if (agent !== undefined) this.#resize(agent, slots);
  }

  /** Looks for whoever's time is up. */
  tick(): void {
    for (let agent = this.#leases.takeDue(); agent; agent = this.#leases.takeDue()) {
      this.#turn.emit({ type: 'endSession', session: agent.session, reason: 'silent' });
      this.#lose(agent);
    }
    for (let agent = this.#graces.takeDue(); agent; agent = this.#graces.takeDue()) this.#lose(agent);
    const { unconfirmed } = this.#dispatcher;
    for (let attempt = unconfirmed.takeDue(); attempt; attempt = unconfirmed.takeDue()) this.#giveUp(attempt);
    for (let agent = this.#setAside.top(); agent; agent = this.#setAside.top()) {
      if ((agent.setAsideUntilMs as number) > this.#turn.nowMs) break;
      this.#setAside.pop();
      agent.setAsideUntilMs = undefined;
      this.#dispatcher.refreshAgent(agent);
    }
  }

  /** When to look next. */
  deadlinesMs(): Array<number | undefined> {
    return [
      this.#leases.nextMs(),
      this.#graces.nextMs(),
      this.#dispatcher.unconfirmed.nextMs(),
      this.#setAside.top()?.setAsideUntilMs,
    ];
  }

  /**
   * A name is taken while its stream is open and it was heard of within two heartbeats and a bit. So a cloned host
   * cannot evict the first one, and a machine that was reset comes back in seconds although its old connection
   * still seems open.
   */
  #isAlive(agent: Agent): boolean {
    if (!agent.connected) return false;
    return agent.permanent || this.#clock.nowMs - agent.sinceMs < this.#confirmMs();
  }

  #enter(agent: Agent, event: AgentJoined): void {
    this.#sessions.set(agent.session, agent);
    if (!agent.permanent) {
      this.#leases.start(agent);
      this.#judgeConduct(agent);
    }
    this.#dispatcher.admit(agent);
    const ours: AttemptId[] = [];
    for (const held of event.held) {
      if (this.#holds(agent, held)) ours.push(held.attempt);
      else this.#disown(agent, held.attempt);
    }
    this.#confirm(agent, ours);
  }

  #takeOver(agent: Agent, event: AgentJoined, itself: boolean): void {
    if (agent.connected) {
      this.#turn.emit({ type: 'endSession', session: agent.session, reason: 'superseded' });
    }
    this.#sessions.delete(agent.session);
    this.#graces.stop(agent);
    this.#setAside.remove(agent.seat);
    agent.setAsideUntilMs = undefined;
    agent.session = event.session;
    agent.labels = event.labels;
    agent.encodings = event.encodings;
    agent.keepsGroupSlots = event.keepsGroupSlots === true;
    agent.connected = true;
    // Whoever told the last process of that name to end did not tell this one; an operator means the name.
    if (!itself) agent.draining = this.#drained.has(agent.name);
    this.#resize(agent, event.slots);
    this.#enter(agent, event);
    for (const attempt of [...agent.attempts]) {
      if (attempt.listedIn !== agent.beats) this.#drop(attempt, false);
    }
  }

  /** Goes through what an agent says it holds: ours is confirmed, all else has to go. */
  #confirm(agent: Agent, held: readonly AttemptId[]): void {
    agent.beats += 1;
    for (const id of held) {
      const attempt = this.#dispatcher.attempts.heldBy(agent, id);
      if (attempt === undefined) {
        this.#disown(agent, id);
        continue;
      }
      attempt.listedIn = agent.beats;
      this.#dispatcher.unconfirmed.stop(attempt);
      if (attempt.revoked !== undefined) {
        // The first word may have been lost.
        this.#turn.emit({ type: 'revoke', session: agent.session, attempt: id, reason: attempt.revoked });
      }
    }
  }

  #disown(agent: Agent, attempt: AttemptId): void {
    this.#turn.emit({ type: 'revoke', session: agent.session, attempt, reason: 'notYours' });
  }

  #judgeConduct(agent: Agent): void {
    const { nowMs } = this.#turn;
    const { untilMs, isNew } = this.#quarantine.sessionStarted(agent.name, nowMs);
    if (untilMs === undefined) return;
    agent.setAsideUntilMs = untilMs;
    this.#setAside.put(agent.seat);
    // Whoever comes and goes all the time would fill the log with what is known.
    if (!isNew) return;
    this.#turn.emit({
      type: 'note',
      note: { what: 'agentQuarantined', agent: agent.name, forMs: untilMs - nowMs },
    });
  }

  #resize(agent: Agent, slots: number): void {
    agent.slots = slots;
    for (const share of agent.shares) {
      share.group.resized(share);
      this.#dispatcher.unshelve(share.group);
    }
    this.#dispatcher.refreshAgent(agent);
  }

  /** An agent is lost: its machine, its network, its process. */
  #lose(agent: Agent): void {
    const items = openItems(agent);
    this.lost += 1;
    const silentForMs = this.#clock.nowMs - agent.sinceMs;
    this.#turn.emit({ type: 'note', note: { what: 'agentLost', agent: agent.name, silentForMs, items } });
    this.#remove(agent, false);
  }

  #remove(agent: Agent, saidGoodBye: boolean): void {
    agent.connected = false;
    this.#sessions.delete(agent.session);
    this.#setAside.remove(agent.seat);
    this.#dispatcher.dismiss(agent);
    for (const attempt of [...agent.attempts]) this.#drop(attempt, saidGoodBye);
  }

  /** No heartbeat has listed an attempt for too long: its agent does not have it. */
  #giveUp(attempt: Attempt): void {
    const { agent, id } = attempt;
    if (attempt.revoked === undefined) {
      this.#turn.emit({ type: 'note', note: { what: 'dispatchUnconfirmed', attempt: id } });
      this.#turn.emit({ type: 'revoke', session: agent.session, attempt: id, reason: 'superseded' });
    }
    this.#drop(attempt, false);
  }

  /**
   * An attempt is gone from its agent; what is open of it runs again, unless it was taken back. Whoever says good-bye has
   * reported all that had begun there: this was still on its way.
   */
  #drop(attempt: Attempt, saidGoodBye: boolean): void {
    this.#dispatcher.release(attempt);
    if (!attempt.counts) return;
    if (saidGoodBye) this.#settlement.ended(attempt, { kind: 'returned' });
    else this.#settlement.lost(attempt);
  }

  #setDraining(name: AgentName, draining: boolean): void {
    const agent = this.#dispatcher.agents.get(name);
    if (agent === undefined) return;
    agent.draining = draining;
    this.#dispatcher.refreshAgent(agent);
  }

  /** The job is compared too: an agent may bring attempts of an earlier coordinator, whose numbers began at 1 as well. */
  #holds(agent: Agent, { attempt, job }: HeldAttempt): boolean {
    return this.#dispatcher.attempts.heldBy(agent, attempt)?.job.id === job;
  }
}

function openItems({ attempts }: Agent): number {
  return attempts.reduce((items, { open }) => items + open.size, 0);
}

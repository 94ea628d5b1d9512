/**
 * Decides the life of an agent: when it dials, joins, beats, fences itself and gives up; which attempts it starts,
 * stops, holds and reports; when it leaves. Events in, commands out; no bytes, no clock, no promises.
 *
 *   dial, join -> joined -> heartbeats <-> answers            (session-life, redial, fence)
 *   jobAnnounced, attemptDispatched -> startChunk             (job-setups, held-attempts, attempt-table)
 *   itemsSucceeded, chunkEnded -> keepNews -> sendBatch -> batchesTaken -> dropNews      (work-news, outbox-ledger)
 *   stopRequested -> drain -> give back -> good-bye -> end    (departure)
 */
import type { AgentCommand, LinkEnd, Note } from './agent-command.ts';
import type { AgentEvent, Joined, LinkEvent, LinkLost, SessionEnded, WorkEvent } from './agent-event.ts';
import { type AgentLimits, defaultLimits } from './agent-limits.ts';
import { type AgentParts, type AgentSnapshot, snapshotOf } from './agent-snapshot.ts';
import { AttemptTable } from './attempt-table.ts';
import { Departure } from './departure.ts';
import { Fence } from './fence.ts';
import { HeldAttempts } from './held-attempts.ts';
import { checkInvariants } from './invariants.ts';
import { JobSetups } from './job-setups.ts';
import { OutboxLedger } from './outbox-ledger.ts';
import { Redial } from './redial.ts';
import { Sender } from './sender.ts';
import { SessionLife } from './session-life.ts';
import { Turn } from './turn.ts';
import { WorkNews } from './work-news.ts';

/** What an {@link AgentMachine} is told. */
export interface AgentMachineOptions {
  /** This life of the agent, unlike that of any other: the same name with another instance is another agent. */
  readonly instance: string;
  /** Of the jitter: equal seeds and equal events give equal commands. Two agents should differ in it. */
  readonly seed: number;
  /** What differs from {@link defaultLimits}. */
  readonly limits?: Partial<AgentLimits>;
}

export class AgentMachine {
  readonly #turn = new Turn();
  readonly #fence: Fence;
  readonly #setups: JobSetups;
  readonly #ledger: OutboxLedger;
  readonly #table: AttemptTable;
  readonly #held: HeldAttempts;
  readonly #news: WorkNews;
  readonly #life: SessionLife;
  readonly #redial: Redial;
  readonly #sender: Sender;
  readonly #departure: Departure;

  constructor({ instance, seed, limits: given = {} }: AgentMachineOptions) {
    const limits = { ...defaultLimits, ...given };
    const turn = this.#turn;
    this.#fence = new Fence(limits, turn);
    this.#setups = new JobSetups(turn);
    this.#ledger = new OutboxLedger(limits, turn);
    const [fence, setups, ledger] = [this.#fence, this.#setups, this.#ledger];
    this.#table = new AttemptTable({ limits, turn, fence, setups, ledger });
    const table = this.#table;
    this.#held = new HeldAttempts({ limits, turn, table, setups, ledger });
    this.#news = new WorkNews({ turn, table, setups, ledger });
    this.#life = new SessionLife({ limits, turn, fence, instance });
    this.#redial = new Redial(limits, seed);
    this.#sender = new Sender({ limits, turn, table, fence, ledger, life: this.#life });
    const [held, life, sender] = [this.#held, this.#life, this.#sender];
    this.#departure = new Departure({ limits, turn, table, held, life, sender });
  }

  /** Take one event and say what is to be done. After `end` nothing is. */
  step(event: AgentEvent): AgentCommand[] {
    if (this.#departure.state === 'gone') return [];
    this.#turn.begin(event.atMs);
    // First of all: whoever stood still for long does not know what the event in hand is still worth.
    this.#fence.observe();
    this.#apply(event);
    this.#settle();
    return this.#turn.take();
  }

  /** When `clockTicked` has to come at the latest; undefined: no need for it. */
  nextDeadlineMs(): number | undefined {
    if (this.#departure.state === 'gone') return undefined;
    // Asked after every event: no lists.
    const never = Number.POSITIVE_INFINITY;
    const deadlineMs = Math.min(
      this.#life.nextDeadlineMs() ?? never,
      this.#redial.nextMs ?? never,
      this.#fence.nextDeadlineMs() ?? never,
      this.#table.size > 0 ? this.#fence.abandonAtMs() : never,
      this.#table.nextReturnMs() ?? never,
      this.#departure.nextDeadlineMs() ?? never,
      this.#sender.nextDeadlineMs() ?? never,
    );
    return deadlineMs === never ? undefined : deadlineMs;
  }

  snapshot(): AgentSnapshot {
    return snapshotOf(this.#parts);
  }

  /** Throws an Error that says what is broken. Costs time in proportion to everything: for tests and simulation. */
  check(): void {
    checkInvariants(this.#parts);
  }

  get #parts(): AgentParts {
    return {
      life: this.#life,
      redial: this.#redial,
      fence: this.#fence,
      table: this.#table,
      held: this.#held,
      setups: this.#setups,
      ledger: this.#ledger,
      departure: this.#departure,
    };
  }

  #apply(event: AgentEvent): void {
    switch (event.type) {
      case 'started':
        if (this.#life.isFresh) this.#dial();
        return;
      case 'stopRequested':
        this.#departure.requested(event.drain);
        return;
      case 'clockTicked':
        return;
      case 'linkLost':
      case 'joined':
      case 'sessionEnded':
        if (event.link === this.#life.link) this.#applyToLink(event);
        return;
      default:
        if (!('link' in event)) this.#applyToWork(event);
        // Before the join was answered nothing else is; what comes late of a link that is closed is no news.
        else if (event.link === this.#life.link && this.#life.state === 'open') this.#applyToSession(event);
    }
  }

  #applyToLink(event: LinkLost | Joined | SessionEnded): void {
    switch (event.type) {
      case 'linkLost':
        this.#linkLost(event);
        return;
      case 'sessionEnded':
        this.#life.close(true);
        this.#sessionOver(event.reason);
        return;
      case 'joined':
        if (this.#life.state === 'joining') this.#joined(event);
    }
  }

  #joined(event: Joined): void {
    const { session, epoch, drop } = event;
    if (epoch < this.#life.epochSeen) {
      this.#life.close(true);
      this.#sessionOver('epochPast');
      return;
    }
    this.#redial.succeeded();
    this.#life.joined(event);
    this.#held.sessionBegan(epoch, drop);
    this.#sender.open();
    this.#turn.note({ what: 'joined', session, epoch, held: this.#table.size });
    this.#departure.joined();
    this.#life.beat(this.#table.list());
    // What is not ours any more has been dropped by now.
    if (this.#life.joinAnswered()) this.#held.startWaiting();
  }

  #applyToSession(event: Exclude<LinkEvent, LinkLost | Joined | SessionEnded>): void {
    switch (event.type) {
      case 'heartbeatAnswered': {
        const isOpened = this.#life.answered(event);
        for (const attempt of event.drop) this.#held.revoke(attempt);
        if (isOpened) this.#held.startWaiting();
        return;
      }
      case 'attemptRevoked':
        this.#held.revoke(event.attempt);
        return;
      case 'attemptRecalled':
        this.#held.recall(event.attempt);
        return;
      case 'batchesTaken':
        this.#held.endingsTaken(this.#ledger.taken(event.sequence));
        return;
      case 'jobAnnounced':
        this.#setups.announce(event.job);
        return;
      case 'jobGrown':
        this.#setups.grown(event.job);
        return;
      case 'jobForgotten':
        this.#setups.forget(event.job);
        return;
      case 'attemptDispatched':
        this.#held.dispatched(event);
        return;
      case 'sendGranted':
        this.#sender.granted();
        return;
      case 'dataFinished':
        this.#departure.finished();
        return;
      case 'controlRoomChanged':
        this.#life.controlHasRoom = event.hasRoom;
    }
  }

  #applyToWork(event: WorkEvent): void {
    switch (event.type) {
      case 'setupPrepared':
        this.#news.setupPrepared(event);
        return;
      case 'setupFailed':
        this.#news.setupFailed(event);
        return;
      case 'chunkRefused':
        this.#news.chunkRefused(event);
        return;
      case 'itemsSucceeded':
      case 'itemFailed':
        this.#news.itemsReported(event);
        return;
      case 'chunkEnded':
        this.#news.chunkEnded(event);
        return;
      case 'printsArrived':
        this.#sender.printsArrived();
    }
  }

  /** After every event: whatever is due by now. */
  #settle(): void {
    const { nowMs } = this.#turn;
    const fault = this.#life.fault();
    if (fault !== undefined) {
      this.#life.close(true);
      this.#sessionOver(fault);
    }
    if (this.#life.isBeatDue()) this.#life.beat(this.#table.list());
    if (this.#table.size > 0 && nowMs >= this.#fence.abandonAtMs()) this.#abandon();
    if (this.#redial.nextMs !== undefined && nowMs >= this.#redial.nextMs) this.#dial();
    this.#table.returnRested();
    this.#departure.settle();
    this.#sender.settle();
  }

  #dial(): void {
    this.#redial.nextMs = undefined;
    this.#life.dial(this.#table.list());
  }

  #linkLost({ code }: LinkLost): void {
    const wasOpen = this.#life.state === 'open';
    this.#life.close(false);
    this.#sessionOver(linkEndOf(code), { code, wasOpen });
  }

  /** A link is gone, and a session with it if it had one. */
  #sessionOver(why: Disconnected['why'], lost?: { readonly code: string; readonly wasOpen: boolean }): void {
    this.#sender.close();
    if (this.#departure.isParting) return;
    if (lost !== undefined && this.#redial.isHopeless(lost.code, this.#turn.nowMs, lost.wasOpen)) {
      this.#departure.end(lost.code);
      return;
    }
    const waitMs = this.#redial.failed(this.#turn.nowMs);
    const { failures } = this.#redial;
    this.#turn.note({
      what: 'disconnected',
      failures,
      waitMs,
      why,
      silentForMs: this.#fence.silentForMs,
    });
  }

  #abandon(): void {
    const { silentForMs } = this.#fence;
    this.#turn.note({ what: 'abandoned', attempts: this.#table.size, silentForMs });
    this.#held.abandon();
  }
}

/** What comes of the connection itself, or of a fault; all else the coordinator has said. */
const unsaid: readonly string[] = ['CANNOT_CONNECT', 'CONNECTION_LOST', 'INTERNAL', 'TLS_FAILED'];

function linkEndOf(code: string): LinkEnd {
  if (code === 'AGENT_NAME_TAKEN') return 'nameTaken';
  return unsaid.includes(code) ? 'linkLost' : 'refused';
}

type Disconnected = Extract<Note['note'], { readonly what: 'disconnected' }>;

import type { Attempt } from './attempts/attempt.ts';
import { LeaseClock } from './attempts/leases.ts';
import { Settlement } from './attempts/settlement.ts';
import { Speculation } from './attempts/speculation.ts';
import type { JobOutcome, SchedulerCommand } from './command.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import type {
  AttemptEnded,
  AttemptEnding,
  ItemFailed,
  ItemsPushed,
  ItemsSucceeded,
  JobCreated,
  ResultsAcknowledged,
  SchedulerEvent,
} from './event.ts';
import { Backoff } from './fleet/backoff.ts';
import { Fleet } from './fleet/fleet.ts';
import type { ItemRange, JobId } from './identity.ts';
import { checkInvariants } from './invariants.ts';
import { Experience } from './jobs/experience.ts';
import { Job } from './jobs/job.ts';
import { Turn } from './jobs/turn.ts';
import { waitingOf } from './jobs/waiting.ts';
import { type SchedulerOptions, schedulerOptions } from './options.ts';
import type { AgentSnapshot, HoldingWindow, JobProgress, SchedulerSnapshot } from './snapshot.ts';
import { Heap } from './structures/heap.ts';

/** Times are told in 32 bits, and no timer waits for longer. It is @shoal/errors that has it for all others. */
const timerMsMax = 2_147_483_647;

/**
 * Decides who runs what, when, how often, and whom to blame: an event goes in, commands come out.
 *
 * A step takes the same way whatever happened:
 *
 *   event -> what it changes   fleet (agents, sessions, leases), settlement (outcomes, retries), the job itself
 *         -> changed jobs      is it over? is it ready? what may its producer push?
 *         -> dispatch          jobs that are ready x agents with room, until one of them runs out
 *         -> speculation       what lags of pure jobs x slots that are still free
 *         -> commands
 *
 * It knows no time but `atMs` and no chance but its seed: equal events give equal commands.
 */
export class Scheduler {
  readonly options: SchedulerOptions;
  readonly #turn: Turn = new Turn();
  readonly #clock: LeaseClock = new LeaseClock();
  readonly #jobs: Map<JobId, Job> = new Map();
  readonly #sleeping: Heap<Job> = new Heap((a, b) => (a.wakeAtMs as number) < (b.wakeAtMs as number));
  readonly #dispatcher: Dispatcher;
  readonly #settlement: Settlement;
  readonly #fleet: Fleet;
  readonly #speculation: Speculation;
  readonly #experience: Experience = new Experience();
  /** Items were pushed that others are about to follow: until the next event slots may be free that they could use. */
  #awaitsMore = false;
  #agentsMost = 0;
  #events = 0;
  #jobsEnded = 0;

  /** Throws a RangeError or TypeError that names a bad option. */
  constructor(options: Partial<SchedulerOptions> = {}) {
    this.options = schedulerOptions(options);
    const [turn, clock] = [this.#turn, this.#clock];
    const confirmMs = () => this.options.confirmMs * this.#stretch();
    const leaseMs = () => this.options.leaseMs * this.#stretch();
    const dispatcher = new Dispatcher(this.options, turn, clock, confirmMs);
    const settlement = new Settlement(this.options, turn, new Backoff(this.options));
    this.#dispatcher = dispatcher;
    this.#speculation = new Speculation(this.options, turn, clock, dispatcher);
    this.#settlement = settlement;
    this.#fleet = new Fleet({
      options: this.options,
      turn,
      clock,
      dispatcher,
      settlement,
      leaseMs,
      confirmMs,
    });
  }

  /** Takes what happened and says what to do, in this order. Do it before the next step. */
  step(event: SchedulerEvent): SchedulerCommand[] {
    this.#events += 1;
    const { atMs } = event;
    if (event.type === 'stallObserved') this.#clock.credit(event.stalledMs);
    this.#turn.begin(atMs);
    this.#clock.advance(atMs);
    this.#apply(event);
    for (let job = this.#turn.nextTouched(); job !== undefined; job = this.#turn.nextTouched()) {
      this.#review(job);
    }
    this.#awaitsMore = event.type === 'itemsPushed' && event.more === true;
    if (this.#awaitsMore) return this.#turn.takeCommands();
    this.#dispatcher.dispatch();
    this.#speculation.run();
    return this.#turn.takeCommands();
  }

  /** When the scheduler wants a `clockTicked` at the latest, on the clock of `atMs`; undefined: never. */
  nextDeadlineMs(): number | undefined {
    let next = this.#sleeping.top()?.wakeAtMs;
    for (const deadlineMs of this.#fleet.deadlinesMs()) {
      if (deadlineMs !== undefined && (next === undefined || deadlineMs < next)) next = deadlineMs;
    }
    return next;
  }

  /** What agents are to be told when they join, and again when it changes: both grow with the number of agents. */
  timing(): { readonly heartbeatMs: number; readonly leaseMs: number } {
    const { heartbeatMs, leaseMs } = this.options;
    return { heartbeatMs: heartbeatMs * this.#stretch(), leaseMs: leaseMs * this.#stretch() };
  }

  /** Everything at this moment, as plain data. Costs time in proportion to jobs and agents. */
  snapshot(): SchedulerSnapshot {
    const agents = [...this.#dispatcher.agents.values()].map(
      (agent): AgentSnapshot => ({
        agent: agent.name,
        session: agent.session,
        state: agent.state,
        slots: agent.slots,
        attempts: agent.attempts.length,
        labels: agent.labels,
        permanent: agent.permanent,
        silentForMs: agent.permanent ? 0 : this.#clock.nowMs - agent.sinceMs,
      }),
    );
    const jobs = [...this.#jobs.values()].map((job) => ({
      ...this.#progressOf(job, this.#turn.nowMs),
      job: job.id,
      priority: job.spec.priority,
      group: job.group.id,
      attempts: job.attempts.size,
      itemBytes: job.itemBytes,
      resultBytes: job.outcomes.bytes,
    }));
    const totals = {
      events: this.#events,
      dispatches: this.#dispatcher.started,
      jobsEnded: this.#jobsEnded,
      agentsLost: this.#fleet.lost,
      itemsSpeculated: this.#speculation.items,
      ...this.#settlement.totals,
    };
    return { atMs: this.#turn.nowMs, agents, jobs, totals };
  }

  /**
   * Where a job stands; undefined when it has ended or never was. Given the driver's time, waits are told from that, not
   * from the last event.
   */
  progress(job: JobId, atMs: number = 0): JobProgress | undefined {
    const found = this.#jobs.get(job);
    return found && this.#progressOf(found, Math.max(atMs, this.#turn.nowMs));
  }

  /** The window because of which a job's producer may push nothing now; undefined: none, or there is no such job. */
  heldBy(job: JobId): HoldingWindow | undefined {
    return this.#jobs.get(job)?.heldBy;
  }

  /** Throws an Error that names a broken invariant. Looks at everything: for tests and simulation. */
  check(): void {
    checkInvariants(this.#jobs.values(), this.#dispatcher, this.#awaitsMore);
  }

  #apply(event: SchedulerEvent): void {
    switch (event.type) {
      case 'jobCreated':
        this.#create(event);
        break;
      case 'itemsPushed':
        this.#push(event);
        break;
      case 'inputEnded':
        this.#change(event.job, (job) => {
          job.inputEnded = true;
        });
        break;
      case 'resultsAcknowledged':
        this.#acknowledge(event);
        break;
      case 'cancelRequested':
        this.#change(event.job, (job) => {
          job.ending = { state: 'cancelled', reason: event.reason };
        });
        break;
      case 'agentJoined':
        this.#fleet.joined(event);
        this.#agentsMost = Math.max(this.#agentsMost, this.#dispatcher.agents.size);
        break;
      case 'heartbeatReceived':
        this.#fleet.heartbeat(event);
        break;
      case 'sessionClosed':
        this.#fleet.closed(event);
        break;
      case 'drainRequested':
        this.#fleet.drain(event);
        break;
      case 'resumeRequested':
        this.#fleet.resume(event.agent);
        break;
      case 'slotsChanged':
        this.#fleet.resized(event);
        break;
      case 'itemsSucceeded':
        this.#settleValues(event);
        break;
      case 'itemFailed':
        this.#settleFailure(event);
        break;
      case 'attemptEnded':
        this.#endAttempt(event);
        break;
      case 'protocolBroken':
        this.#fleet.expel(event.session, event.reason);
        break;
      case 'stallObserved':
        break;
      case 'clockTicked':
        this.#fleet.tick();
        this.#wake();
        break;
      default:
        event satisfies never;
    }
  }

  #create({ job: id, spec }: JobCreated): void {
    if (this.#jobs.has(id)) return;
    const guess = this.#experience.of(spec.kind);
    const job = new Job(id, spec, this.#dispatcher.enter(spec), this.options, guess);
    // Whoever waits by now has waited longer. Did new jobs go before all others, then those that come one after another
    // would keep the others from every slot.
    job.turn = this.#dispatcher.started;
    this.#jobs.set(id, job);
    this.#turn.touch(job);
  }

  #push({ job: id, count, bytes }: ItemsPushed): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    if (!job.inputEnded && count > 0) {
      job.push(count, bytes);
      // Its next item may wait for another agent than the one that it crashed on; fresh ones need not.
      job.line.lane.waitingForAnother.delete(job);
    }
    this.#turn.touch(job);
  }

  #change(id: JobId, change: (job: Job) => void): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    change(job);
    this.#turn.touch(job);
  }

  #acknowledge({ job: id, position }: ResultsAcknowledged): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    if (job.outcomes.acknowledge(position)) {
      this.#turn.emit({ type: 'releaseResults', job: id, position: job.outcomes.acknowledged });
    }
    this.#turn.touch(job);
  }

  #settleValues({ session, attempt: id, first, count, bytes, runMs }: ItemsSucceeded): void {
    const attempt = this.#fleet.owned(session, id);
    if (attempt !== undefined && this.#isUntrue(attempt, { first, count })) return;
    if (attempt?.counts) this.#settlement.values(attempt, first, count, bytes, runMs);
    else this.#settlement.refuse(id, count);
  }

  #settleFailure({ session, attempt: id, index, failure }: ItemFailed): void {
    const attempt = this.#fleet.owned(session, id);
    if (attempt !== undefined && this.#isUntrue(attempt, { first: index, count: 1 })) return;
    if (attempt?.counts) this.#settlement.failure(attempt, index, failure);
    else this.#settlement.refuse(id, 1);
  }

  #endAttempt({ session, attempt: id, ending }: AttemptEnded): void {
    const attempt = this.#fleet.owned(session, id);
    if (attempt === undefined) return;
    for (const items of itemsOf(ending)) if (this.#isUntrue(attempt, items)) return;
    this.#dispatcher.release(attempt);
    if (attempt.counts) this.#settlement.ended(attempt, ending);
  }

  /**
   * Whether an agent tells of items that the attempt does not have. Then nothing that it tells is believed: a count may
   * be wrong by four billion, and the next one might be wrong within the attempt, where nobody can see it.
   */
  #isUntrue(attempt: Attempt, items: ItemRange): boolean {
    if (attempt.has(items) || attempt.agent.permanent) return false;
    const { id, agent } = attempt;
    const said = `it reports ${rangeText(items)} of attempt ${id}, which has ${rangeText(attempt)}`;
    this.#fleet.expel(agent.session, said);
    return true;
  }

  /** Looks at a job that this step has changed. */
  #review(job: Job): void {
    if (job.ended || this.#hasEnded(job)) return;
    this.#dispatcher.refreshJob(job);
    this.#speculation.plan(job);
    this.#sleep(job);
    this.#grant(job);
  }

  /** Whether a job is over by now; then it is ended. */
  #hasEnded(job: Job): boolean {
    const { nowMs } = this.#turn;
    if (job.ending === undefined && !this.#comesToItsEnd(job)) return false;
    if (job.isEndingSoon(nowMs)) return false;
    this.#end(job, job.ending as JobOutcome);
    return true;
  }

  /** Sets how a job ends, if it does so by itself by now: all is delivered, or it is too late. */
  #comesToItsEnd(job: Job): boolean {
    const { deadlineAtMs } = job.spec;
    if (job.complete) {
      job.ending = { state: 'completed', succeeded: job.succeeded, failed: job.failed };
    } else if (deadlineAtMs !== undefined && this.#turn.nowMs >= deadlineAtMs) {
      job.ending = this.#pastDeadline(job);
    }
    return job.ending !== undefined;
  }

  /** Tells the producer what it may push, if that is news. */
  #grant(job: Job): void {
    const upTo = job.nextGrant();
    if (upTo === undefined) return;
    job.granted = upTo;
    this.#turn.emit({ type: 'grantItems', job: job.id, upTo });
  }

  /** Longer would have helped a job that ran; one that waited has to say for what. */
  #pastDeadline(job: Job): JobOutcome {
    const waiting = waitingOf(job, this.#dispatcher, this.#turn.nowMs);
    if (waiting === undefined) return { state: 'deadline' };
    return { state: 'deadline', wait: { ...waiting, queued: job.pending.ready + job.pending.waiting } };
  }

  /** The job is over: what still runs of it is taken back; slots are free when their agents say so. */
  #end(job: Job, outcome: JobOutcome): void {
    job.ended = true;
    const reason = outcome.state === 'deadline' ? 'deadline' : 'cancelled';
    for (const attempt of job.attempts) {
      // With every item reported it is about to end by itself.
      if (attempt.open.size === 0) continue;
      attempt.revoked = reason;
      this.#turn.emit({ type: 'revoke', session: attempt.agent.session, attempt: attempt.id, reason });
    }
    this.#experience.learn(job.spec.kind, job.sharding.lesson);
    this.#dispatcher.leave(job);
    this.#sleeping.remove(job.wakeSeat);
    this.#jobs.delete(job.id);
    this.#jobsEnded += 1;
    const { id, speculated, speculationWins } = job;
    const speculation = speculated === 0 ? {} : { speculation: { speculated, speculationWins } };
    const retried = job.retried === 0 ? {} : { retried: job.retried };
    this.#turn.emit({ type: 'endJob', job: id, outcome, ...speculation, ...retried });
  }

  #sleep(job: Job): void {
    const before = job.wakeAtMs;
    const next = job.nextWakeMs(this.#turn.nowMs);
    if (next === before && (before === undefined || job.wakeSeat.index >= 0)) return;
    job.wakeAtMs = next;
    if (next === undefined) this.#sleeping.remove(job.wakeSeat);
    else this.#sleeping.put(job.wakeSeat);
  }

  #wake(): void {
    const { nowMs } = this.#turn;
    for (
      let job = this.#sleeping.top();
      job && (job.wakeAtMs as number) <= nowMs;
      job = this.#sleeping.top()
    ) {
      this.#sleeping.pop();
      job.pending.wake(nowMs);
      this.#speculation.woken(job);
      job.line.lane.waitingForAnother.delete(job);
      this.#turn.touch(job);
    }
  }

  #progressOf(job: Job, nowMs: number): JobProgress {
    const waiting = waitingOf(job, this.#dispatcher, nowMs);
    return {
      total: job.total,
      pushed: job.pushed,
      succeeded: job.succeeded,
      failed: job.failed,
      running: job.running,
      queued: job.pending.ready + job.pending.waiting,
      retried: job.retried,
      speculated: job.speculated,
      speculationWins: job.speculationWins,
      delivered: job.outcomes.delivered,
      acknowledged: job.outcomes.acknowledged,
      ...waiting,
    };
  }

  /**
   * How much more slowly than asked agents beat, so that all of them together stay within the limit; never so much that a
   * lease does not fit into a message any more.
   */
  #stretch(): number {
    const { heartbeatMs, heartbeatsPerSecondMax, leaseMs } = this.options;
    const asked = (this.#agentsMost * 1000) / heartbeatsPerSecondMax / heartbeatMs;
    return Math.max(1, Math.min(asked, timerMsMax / leaseMs));
  }
}

/** The items that an ending names. */
function itemsOf(ending: AttemptEnding): readonly ItemRange[] {
  if (ending.kind === 'childDied') return ending.suspects;
  return ending.kind === 'returned' ? (ending.started ?? []) : [];
}

function rangeText({ count, first }: ItemRange): string {
  if (count < 1) return 'no items';
  return count === 1 ? `item ${first}` : `items ${first} to ${first + count - 1}`;
}

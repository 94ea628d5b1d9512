/**
 * Decides for the coordinator: which job a request is, who reads and writes it and how far, which agent has which
 * session, and through the scheduler who runs what. Events in, commands out; no bytes, no clock, no promises.
 *
 *   clients -> readers, writers, job book --\
 *                     ^                      +--> scheduler --> dispatch, revoke, keepResults, …
 *                     |                     /         |
 *   agents  -> agent book -----------------/          |
 *                     +---- grants, outcomes, ends ---+
 */
import {
  type HoldingWindow,
  type JobId,
  type JobProgress,
  Scheduler,
  type SchedulerCommand,
  type SchedulerEvent,
  type SchedulerOptions,
} from '@shoal/scheduler';
import { AgentBook, partDrops } from './agent-book.ts';
import type { CoordinatorCommand } from './coordinator-command.ts';
import type { CoordinatorEvent, HeartbeatListed, JobReleased, JoinReceived } from './coordinator-event.ts';
import type { CoordinatorLimits } from './coordinator-limits.ts';
import type { CoordinatorSnapshot } from './coordinator-snapshot.ts';
import { CoordinatorTurn, type Untimed } from './coordinator-turn.ts';
import { JobBook } from './job-book.ts';
import type { JobRecord, JobView } from './job-record.ts';
import { ReaderDesk } from './reader-desk.ts';
import { WriterDesk } from './writer-desk.ts';

/** What makes producers wait: the windows of their job, and the room for all jobs together. */
export type HoldingLimit = HoldingWindow | 'payloadBytes';

export class CoordinatorMachine {
  readonly #scheduler: Scheduler;
  readonly #turn: CoordinatorTurn = new CoordinatorTurn();
  readonly #book: JobBook;
  readonly #readers: ReaderDesk;
  readonly #writers: WriterDesk;
  readonly #agents: AgentBook;

  /** Throws a RangeError or TypeError that names a bad option of the scheduler. */
  constructor(limits: CoordinatorLimits, options: Partial<SchedulerOptions> = {}) {
    this.#scheduler = new Scheduler(options);
    this.#book = new JobBook(this.#turn, limits);
    this.#readers = new ReaderDesk(this.#turn, this.#book);
    this.#writers = new WriterDesk(this.#turn, this.#book);
    this.#agents = new AgentBook(limits.epoch);
  }

  /** Takes what happened and says what to do, in this order. Do it before the next step. */
  step(event: CoordinatorEvent): CoordinatorCommand[] {
    this.#turn.begin(event.atMs);
    this.#apply(event);
    // What the scheduler decides may let a block in that waited, which it has to hear of in turn.
    for (let next = this.#turn.takeForScheduler(); next !== undefined; next = this.#turn.takeForScheduler()) {
      for (const command of this.#schedule(next)) this.#relay(command);
    }
    return this.#turn.takeCommands();
  }

  /** When `clockTicked` has to come at the latest; undefined: no need for it. */
  nextDeadlineMs(): number | undefined {
    const jobs = this.#book.nextDeadlineMs();
    const scheduler = this.#scheduler.nextDeadlineMs();
    return jobs === undefined || (scheduler !== undefined && scheduler < jobs) ? scheduler : jobs;
  }

  /**
   * Whether it is of use to wait for the jobs that run: there is an agent, or one that may be back in a moment, or a client
   * that reads. Without all of them nothing runs, and nobody would hear of it. Costs time in proportion to jobs and agents.
   */
  isAwaited(): boolean {
    return this.#book.isAttended || this.#scheduler.snapshot().agents.length > 0;
  }

  /** What agents are to be told of heartbeats and leases. */
  timing(): { readonly heartbeatMs: number; readonly leaseMs: number; readonly selfFenceMs: number } {
    return { ...this.#scheduler.timing(), selfFenceMs: this.#scheduler.options.selfFenceMs };
  }

  /** What is known of a job; undefined when it was forgotten or never was. Live: read it, do not keep it. */
  job(job: JobId): JobView | undefined {
    return this.#book.find(job);
  }

  /** How the items of a job stand at a time; undefined when it has ended or never was. */
  progress(job: JobId, nowMs: number): JobProgress | undefined {
    return this.#scheduler.progress(job, nowMs);
  }

  /** The limit because of which the producer of a job may send nothing now; undefined: none, or there is no such job. */
  heldBy(job: JobId): HoldingLimit | undefined {
    const record = this.#book.find(job);
    if (record === undefined) return undefined;
    return this.#scheduler.heldBy(job) ?? (this.#writers.holds(record) ? 'payloadBytes' : undefined);
  }

  /** Everything at this moment, as plain data. Costs time in proportion to jobs and agents. */
  snapshot(): CoordinatorSnapshot {
    const jobs = [...this.#book.all()].map(
      (record): JobView => ({
        id: record.id,
        requestId: record.requestId,
        pushed: record.pushed,
        inputEnded: record.inputEnded,
        granted: record.granted,
        succeeded: record.succeeded,
        failed: record.failed,
        delivered: record.delivered,
        acknowledged: record.acknowledged,
        ending: record.ending,
        reader: record.reader,
        writer: record.writer,
        holdsBlock: record.holdsBlock,
      }),
    );
    return { jobs, namesKnown: this.#agents.size, scheduler: this.#scheduler.snapshot() };
  }

  /** Throws an Error that names a broken invariant. Looks at everything: for tests and simulation. */
  check(): void {
    for (const { acknowledged, delivered, id, offered, pushed } of this.#book.all()) {
      if (acknowledged > offered || offered > delivered || delivered > pushed) {
        const counts = `${acknowledged} acknowledged, ${offered} offered, ${delivered} delivered, ${pushed} pushed`;
        throw new Error(`job ${id} is out of order: ${counts}`);
      }
    }
    this.#readers.check();
    this.#writers.check();
    this.#scheduler.check();
  }

  #apply(event: CoordinatorEvent): void {
    switch (event.type) {
      case 'jobRequested':
        this.#book.create(event);
        return;
      case 'readerOpened':
        this.#readers.open(event);
        return;
      case 'readerClosed':
        this.#readers.close(event);
        return;
      case 'acknowledgementReceived':
        this.#readers.acknowledge(event);
        this.#advance(event.job);
        return;
      case 'writerOpened':
        this.#writers.open(event);
        return;
      case 'blockReceived':
        this.#writers.take(event);
        return;
      case 'inputEndReceived':
        this.#writers.inputEnd(event);
        return;
      case 'writerClosed':
        this.#writers.close(event);
        return;
      case 'connectionGivenUp':
        this.#book.connectionGivenUp(event.connection);
        return;
      case 'cancelReceived':
        this.#book.cancelReceived(event);
        return;
      case 'jobReleased':
        this.#release(event);
        return;
      case 'joinReceived':
        this.#join(event);
        return;
      case 'heartbeatListed':
        this.#heartbeat(event);
        return;
      case 'stopRequested':
        this.#book.close();
        return;
      case 'stopHurried':
        this.#book.close();
        this.#book.cancelAll('the coordinator stops');
        return;
      case 'storageChanged':
        this.#writers.storageChanged(event.isTight);
        return;
      case 'storageFailed':
        this.#book.storageFailed(event);
        return;
      case 'sessionClosed':
        this.#agents.over(event.session, event.orderly, this.#turn.nowMs);
        break;
      case 'stallObserved':
        this.#book.credit(event.stalledMs);
        break;
      case 'clockTicked':
        this.#book.tick();
        break;
      case 'drainRequested':
      case 'resumeRequested':
      case 'slotsChanged':
      case 'itemsSucceeded':
      case 'itemFailed':
      case 'attemptEnded':
      case 'protocolBroken':
        break;
      default:
        event satisfies never;
        return;
    }
    this.#turn.tellScheduler(event);
  }

  #schedule(event: Untimed): SchedulerCommand[] {
    return this.#scheduler.step({ ...event, atMs: this.#turn.nowMs } as SchedulerEvent);
  }

  /** What the scheduler says goes on as it is, after what it means for the job's clients was written down. */
  #relay(command: SchedulerCommand): void {
    const record = 'job' in command ? this.#book.find(command.job) : undefined;
    switch (command.type) {
      case 'grantItems':
        if (record !== undefined) this.#grant(record, command.upTo);
        return;
      case 'endJob':
        if (record === undefined) return;
        this.#book.ended(record, command);
        this.#writers.ended(record);
        this.#readers.ended(record);
        this.#book.settled(record);
        return;
      case 'refuseJoin':
        this.#turn.emit({ type: 'refuseAgent', session: command.session });
        return;
      case 'keepResults':
        if (record !== undefined) record.succeeded += command.count;
        this.#turn.emit(command);
        return;
      case 'keepFailure':
        if (record !== undefined) record.failed += 1;
        this.#turn.emit(command);
        return;
      case 'deliver':
        this.#turn.emit(command);
        if (record !== undefined) this.#readers.delivered(record, command.count);
        return;
      case 'endSession':
        this.#agents.over(command.session, false, this.#turn.nowMs);
        this.#turn.emit(command);
        return;
      default:
        this.#turn.emit(command);
    }
  }

  /** Clients hear of rises only; a grant that fell holds at the writer's gate. */
  #grant(record: JobRecord, upTo: number): void {
    record.granted = upTo;
    if (upTo > record.toldGrant) {
      record.toldGrant = upTo;
      for (const call of [record.reader, record.writer]) {
        if (call !== undefined) this.#turn.emit({ type: 'grant', call, upTo });
      }
    }
    this.#writers.advance(record);
  }

  #advance(job: JobId): void {
    const record = this.#book.find(job);
    if (record !== undefined) this.#writers.advance(record);
  }

  #release(event: JobReleased): void {
    const record = this.#book.find(event.job);
    if (record?.reader !== undefined) this.#readers.close({ call: record.reader });
    if (record?.writer !== undefined) this.#writers.close({ call: record.writer, orderly: false });
    this.#book.released(event);
  }

  #join(event: JoinReceived): void {
    const { agent, encodings, keepsGroupSlots = false, labels, session, slots } = event;
    this.#agents.forgetBefore(this.#turn.nowMs - 10 * this.#scheduler.timing().leaseMs);
    const resumes = this.#agents.resumes(event);
    const held = this.#agents.held(event);
    const commands = this.#schedule({
      type: 'agentJoined',
      agent,
      session,
      slots,
      labels,
      ...(encodings === undefined ? {} : { encodings }),
      ...(keepsGroupSlots ? { keepsGroupSlots } : {}),
      held,
      permanent: false,
      ...(resumes === undefined ? {} : { resumes }),
    });
    const { drop, rest } = partDrops(commands, session);
    if (!rest.some(({ type }) => type === 'refuseJoin')) {
      this.#agents.admitted(event);
      const keep = held.filter(({ attempt }) => !drop.includes(attempt));
      this.#turn.emit({ type: 'admitAgent', session, keep, drop });
    }
    for (const command of rest) this.#relay(command);
  }

  #heartbeat({ held, sequence, session, stalledForMs }: HeartbeatListed): void {
    if (stalledForMs > this.#scheduler.timing().leaseMs && this.#agents.isOpen(session)) {
      // It beats, but does not listen: what it is given piles up, and what runs on it cannot be called off.
      this.#agents.over(session, false, this.#turn.nowMs);
      this.#turn.emit({ type: 'endSession', session, reason: 'silent' });
      this.#turn.tellScheduler({ type: 'sessionClosed', session, orderly: false });
      return;
    }
    const commands = this.#schedule({ type: 'heartbeatReceived', session, held });
    const { drop, rest } = partDrops(commands, session);
    // Whoever beats in a session that is over must not take an answer for leave to go on.
    if (this.#agents.isOpen(session)) {
      this.#turn.emit({ type: 'answerHeartbeat', session, sequence, drop });
    }
    for (const command of rest) this.#relay(command);
  }
}

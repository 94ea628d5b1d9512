import type { CoordinatorCommand, CoordinatorMachine } from '@shoal/coordinator/core';
import { PayloadStore, type ResultBytes } from '@shoal/scheduler';
import { Host } from '../host.ts';
import type {
  AskDown,
  AskUp,
  CallError,
  ControlDown,
  ControlUp,
  DataDown,
  DataUp,
  ReadDown,
  ReadUp,
  StoredFailure,
  WriteDown,
  WriteUp,
} from '../messages.ts';
import type { Listener } from '../network.ts';
import type { World } from '../world.ts';
import { Asks } from './asks.ts';
import { CoordinatorCore, type Hand } from './core.ts';
import { Jobs } from './jobs.ts';
import { Readers } from './readers.ts';
import { Sessions } from './sessions.ts';
import { Writers } from './writers.ts';

/** What a client may know of a job. */
export type JobView = NonNullable<ReturnType<CoordinatorMachine['job']>>;

/**
 * The machine with the coordinator on it: the production core and payload store, under drivers as plain as the real
 * ones. It decides nothing.
 */
export class CoordinatorHost {
  readonly host: Host;
  /** When it went on after it had stood still, on its own clock. */
  wokeAtMs = 0;
  readonly #world: World;
  readonly #core: CoordinatorCore;
  readonly #jobs: Jobs = new Jobs();
  readonly #sessions: Sessions;
  readonly #asks: Asks;
  readonly #readers: Readers;
  readonly #writers: Writers;
  #store: PayloadStore<ResultBytes, StoredFailure> = new PayloadStore();
  #frozenAtMs = 0;

  constructor(world: World) {
    this.#world = world;
    this.host = new Host('coordinator', world.clock, world.coordinatorOffsetMs);
    this.#core = new CoordinatorCore(this.host, world, {
      carryOut: (command, hand) => this.#carryOut(command, hand),
      stepped: () => world.oracle.coordinatorStepped(this),
    });
    this.#sessions = new Sessions(this.#core, world, this.#jobs);
    this.#asks = new Asks(this.#core, world);
    this.#readers = new Readers(
      this.#core,
      this.#jobs,
      (job, position) => this.#store.outcomesFrom(job, position),
      (job, session) => world.oracle.reads.bound(job, session),
    );
    this.#writers = new Writers(this.#core);
  }

  /** Who connects to it, and for what. */
  get agents(): Listener<ControlUp, ControlDown> {
    return this.#sessions.control;
  }

  get data(): Listener<DataUp, DataDown> {
    return this.#sessions.data;
  }

  get asks(): Listener<AskUp, AskDown> {
    return this.#asks.listener;
  }

  get reads(): Listener<ReadUp, ReadDown> {
    return this.#readers.listener;
  }

  get writes(): Listener<WriteUp, WriteDown> {
    return this.#writers.listener;
  }

  get epoch(): number {
    return this.#core.epoch;
  }

  /** It is of an epoch before others that there were. */
  get isPast(): boolean {
    return this.host.isAlive && this.epoch < 1;
  }

  get timing(): ReturnType<CoordinatorMachine['timing']> {
    return this.#core.machine.timing();
  }

  jobView(job: string): JobView | undefined {
    return this.#core.machine.job(job);
  }

  hasSession(session: number): boolean {
    return this.#sessions.find(session) !== undefined;
  }

  /** On its own clock. */
  deadlineOf(job: string): number | undefined {
    return this.#asks.deadlineOf(job);
  }

  /** Bytes of items and results that it keeps. */
  get heldBytes(): number {
    return this.#store.itemBytes + this.#store.resultBytes;
  }

  /** Jobs that it still knows, streams that it still has. */
  get leftovers(): string[] {
    return [
      ...this.#jobs.ids.map((job) => `job ${job}`),
      ...this.#readers.jobs.map((job) => `a reader of ${job}`),
      ...this.#writers.calls.map((call) => `writer ${call}`),
    ];
  }

  snapshot(): ReturnType<CoordinatorMachine['snapshot']> {
    return this.#core.machine.snapshot();
  }

  check(): void {
    this.#core.machine.check();
  }

  progress(job: string): ReturnType<CoordinatorMachine['progress']> {
    return this.#core.machine.progress(job, this.host.now());
  }

  /** Its process is gone, with all that it knew: jobs are ephemeral. */
  crash(): void {
    this.host.die();
    this.#sessions.crash();
    for (const stream of [...this.#readers.streams, ...this.#writers.streams]) stream.closeFar();
    this.#asks.crash();
    this.#core.crash();
  }

  /** It begins anew, in its next epoch, or in one before all others. */
  restart(isPast: boolean): void {
    this.host.revive();
    this.#core.restart(isPast);
    this.#store = new PayloadStore();
    for (const part of [this.#sessions, this.#jobs, this.#readers, this.#writers, this.#asks]) part.restart();
  }

  /** Its event loop stands still. */
  stall(): void {
    this.#frozenAtMs = this.host.now();
    this.host.freeze();
  }

  /** And goes on: an observer with a beat of 250 ms tells the core how long it was away. */
  goOn(): void {
    const lastBeatMs = Math.floor(this.#frozenAtMs / 250) * 250;
    const lostMs = this.host.now() - lastBeatMs - 250;
    this.wokeAtMs = this.host.now();
    this.host.thaw(() => {
      // The driver looks for a stall before any other step.
      if (lostMs >= 1_000) {
        this.#world.oracle.leases.stalled(lostMs);
        this.#core.step({ type: 'stallObserved', stalledMs: lostMs });
      }
    });
  }

  /** Its clock jumps ahead: to the observer of stalls that is one. */
  clockJumps(ms: number): void {
    if (this.host.isFrozen || !this.host.isAlive) return;
    this.stall();
    this.host.jump(ms);
    this.goOn();
  }

  /** An operator takes an agent out of service, or puts it back. */
  drain(agent: string, draining: boolean): void {
    this.host.do(() => {
      const isKnown = this.snapshot().scheduler.agents.some((each) => each.agent === agent);
      // It may be resumed while it is away.
      if (draining && !isKnown) return;
      this.#world.oracle.drains.operated(agent, draining);
      if (draining) this.#core.step({ type: 'drainRequested', agent, untilResumed: true });
      else this.#core.step({ type: 'resumeRequested', agent });
    });
  }

  #carryOut(command: CoordinatorCommand, hand: Hand): void {
    const store = this.#store;
    const { oracle } = this.#world;
    switch (command.type) {
      // -- agents
      case 'admitAgent':
        this.#sessions.admit(command);
        return;
      case 'refuseAgent':
        this.#sessions.refuse(command);
        return;
      case 'answerHeartbeat':
        this.#sessions.answerHeartbeat(command);
        return;
      case 'dispatch':
        oracle.attempts.dispatched(command, this.epoch);
        this.#dispatch(command);
        return;
      case 'revoke':
        this.#sessions.revoke(command);
        return;
      case 'recall':
        this.#sessions.recall(command);
        return;
      case 'endSession':
        this.#sessions.end(command);
        return;
      // -- payload
      case 'keepBlock': {
        const block = this.#writers.takeHeld(command.call) ?? hand.block;
        if (block === undefined) return;
        store.addBlock(command.job, block);
        const job = this.#jobs.find(command.job);
        if (job !== undefined) job.pushed += block.count;
        return;
      }
      case 'keepResults':
        if (hand.run === undefined) return;
        oracle.attempts.kept(command, hand.run, this.epoch);
        store.keepResults(command.job, hand.run, command.first, command.count);
        return;
      case 'keepFailure': {
        const { index, failure } = command;
        const error = command.withPayload ? hand.tried?.error : undefined;
        const stored = { index, kind: failure.kind, attempts: failure.attempts, error };
        oracle.limits.failureKept(command.job, index, error?.byteLength ?? 0);
        store.keepFailure(command.job, index, stored);
        return;
      }
      case 'releaseItems':
        store.releaseItems(command.job, command.first, command.count);
        return;
      case 'deliver':
        store.deliver(command.job, command.first, command.count);
        return;
      case 'releaseResults':
        store.releaseResults(command.job, command.position);
        return;
      // -- clients
      case 'createJob':
        this.#jobs.create(command.job);
        oracle.jobs.created(command.job, this.#asks.requestOf(command.call), this.epoch);
        return;
      case 'answerCreate':
        this.#asks.answer(command.call, { kind: 'created', job: command.job });
        return;
      case 'answer':
        this.#asks.answer(command.call, { kind: 'done' });
        return;
      case 'refuse':
        this.#refuse(command.call, errorOf(command.refusal));
        return;
      case 'bindReader':
        this.#readers.bind(command.call, command.fromPosition);
        return;
      case 'offerOutcomes':
        this.#readers.offer(command.call, command.upTo);
        return;
      case 'grant':
        this.#readers.grant(command.call, command.upTo);
        return;
      case 'endReader':
        this.#readers.end(command.call);
        return;
      case 'bindWriter':
        return;
      case 'holdBlock':
        this.#writers.hold(command.call, hand.block);
        return;
      case 'resumeWriter':
        this.#writers.resume(command.call);
        return;
      case 'endWriter':
        this.#writers.end(command.call, command.acceptedItems);
        return;
      case 'finishJob':
        this.#finish(command);
        return;
      case 'emptyJob':
        store.forgetJob(command.job);
        return;
      case 'forgetJob':
        this.#jobs.forget(command.job);
        store.forgetJob(command.job);
        return;
      case 'note':
        oracle.noted(command.note);
        return;
      default:
        command satisfies never;
    }
  }

  #dispatch(dispatch: Extract<CoordinatorCommand, { type: 'dispatch' }>): void {
    const { attempt, first, count, groupSlots = 0, marksStarts, tryNumber } = dispatch;
    const job = this.#jobs.find(dispatch.job);
    const session = this.#sessions.find(dispatch.session);
    if (job === undefined || session === undefined) return;
    job.holders.add(session);
    const blocks = this.#store.blocksFor(dispatch.job, first, count);
    const work = { attempt, job: dispatch.job, first, count, marksStarts, tryNumber, groupSlots };
    session.handOver({ ...work, blocks });
  }

  #finish({ job: id, ending }: Extract<CoordinatorCommand, { type: 'finishJob' }>): void {
    const job = this.#jobs.find(id);
    if (job === undefined) return;
    job.ending = ending.state === 'failedFast' ? ending : { state: ending.state };
    this.#world.oracle.jobs.ended(id, ending.state);
    this.#store.releaseItems(id, 0, job.pushed);
    for (const session of job.holders) session.forget(id);
    job.holders.clear();
  }

  #refuse(call: number, error: CallError): void {
    const stream = this.#readers.remove(call) ?? this.#writers.remove(call);
    if (stream === undefined) {
      this.#asks.answer(call, { kind: 'failed', error });
      return;
    }
    stream.sendDown({ kind: 'failed', error });
    stream.closeFar();
  }
}

function errorOf(refusal: Extract<CoordinatorCommand, { type: 'refuse' }>['refusal']): CallError {
  return refusal.code === 'ITEMS_OUT_OF_STEP'
    ? { code: refusal.code, next: refusal.next }
    : { code: refusal.code };
}

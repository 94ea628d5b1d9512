import { type CoordinatorCommand, type CoordinatorEvent, CoordinatorMachine } from '@shoal/coordinator/core';
import { type Outcome, PayloadStore, type ResultBytes } from '@shoal/scheduler';
import type { Untimed } from './child-host.ts';
import type { Due } from './clock.ts';
import type { TriedItem } from './execution.ts';
import { Host } from './host.ts';
import type {
  AskDown,
  AskUp,
  Bytes,
  CallError,
  ControlDown,
  ControlUp,
  DataDown,
  DataUp,
  Handover,
  OutcomeMessage,
  ReadDown,
  ReadUp,
  Report,
  StoredFailure,
  WriteDown,
  WriteUp,
} from './messages.ts';
import type { End, Listener, Stream } from './network.ts';
import type { World } from './world.ts';

type Happening = CoordinatorEvent extends infer E ? (E extends CoordinatorEvent ? Untimed<E> : never) : never;

/** What a client may know of a job. */
export type JobView = NonNullable<ReturnType<CoordinatorMachine['job']>>;

/** The bytes of an event. */
interface Hand {
  readonly run?: ResultBytes;
  readonly tried?: TriedItem;
  readonly block?: Bytes;
}

/** A run is cut into messages of so many bytes, so that runs in parts are nothing special. */
const messageBytes = 16;

interface Session {
  readonly id: number;
  readonly agent: string;
  readonly instance: string;
  readonly control: Stream<ControlUp, ControlDown>;
  data: Stream<DataUp, DataDown> | undefined;
  isLeaving: boolean;
  isOver: boolean;
  isRefused: boolean;
  /** What waits for the end of this turn. */
  taken: number;
  setups: string[];
  handovers: Handover[];
  forgotten: string[];
  isSending: boolean;
  readonly told: Set<string>;
  readonly parts: Map<number, Uint8Array[]>;
}

interface Reader {
  readonly stream: Stream<ReadUp, ReadDown>;
  readonly job: string;
  sent: number;
  upTo: number;
  isEnding: boolean;
  isPumping: boolean;
}

interface Writer {
  readonly stream: Stream<WriteUp, WriteDown>;
  held: Bytes | undefined;
  isPaused: boolean;
  waiting: WriteUp[];
}

interface KnownJob {
  readonly plan: string;
  readonly holders: Set<Session>;
  ending: { readonly state: string; readonly index?: number } | undefined;
  pushed: number;
}

/**
 * The machine with the coordinator on it: the production core and payload store, under drivers as plain as the real
 * ones. It decides nothing.
 */
export class CoordinatorHost {
  readonly host: Host;
  epoch = 0;
  /** When it went on after it had stood still, on its own clock. */
  wokeAtMs = 0;
  readonly #world: World;
  #machine: CoordinatorMachine;
  #store: PayloadStore<ResultBytes, StoredFailure> = new PayloadStore();
  #sessions = new Map<number, Session>();
  #lastSession = 0;
  #lastCall = 0;
  #lastJob = 0;
  #jobs = new Map<string, KnownJob>();
  #readers = new Map<number, Reader>();
  #writers = new Map<number, Writer>();
  #asks = new Map<number, Stream<AskUp, AskDown>>();
  /** The request of a call that creates a job. */
  #requests = new Map<number, string>();
  #events: { event: Happening; hand: Hand }[] = [];
  #isStepping = false;
  #timer: Due | undefined;
  #timerMs: number | undefined;
  #frozenAtMs = 0;
  #deadlines = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    this.host = new Host('coordinator', world.clock, world.coordinatorOffsetMs);
    this.#machine = this.#newMachine();
  }

  get timing(): ReturnType<CoordinatorMachine['timing']> {
    return this.#machine.timing();
  }

  jobView(job: string): JobView | undefined {
    return this.#machine.job(job);
  }

  hasSession(session: number): boolean {
    return this.#sessions.has(session);
  }

  /** On its own clock. */
  deadlineOf(job: string): number | undefined {
    return this.#deadlines.get(job);
  }

  /** Bytes of items and results that it keeps. */
  get heldBytes(): number {
    return this.#store.itemBytes + this.#store.resultBytes;
  }

  /** Jobs that it still knows, streams that it still has. */
  get leftovers(): string[] {
    return [
      ...[...this.#jobs.keys()].map((job) => `job ${job}`),
      ...[...this.#readers.values()].map(({ job }) => `a reader of ${job}`),
      ...[...this.#writers.keys()].map((call) => `writer ${call}`),
    ];
  }

  snapshot(): ReturnType<CoordinatorMachine['snapshot']> {
    return this.#machine.snapshot();
  }

  check(): void {
    this.#machine.check();
  }

  progress(job: string): ReturnType<CoordinatorMachine['progress']> {
    return this.#machine.progress(job, this.host.now());
  }

  /** Its process is gone, with all that it knew: jobs are ephemeral. */
  crash(): void {
    this.host.die();
    for (const { control, data } of this.#sessions.values()) {
      control.closeFar();
      data?.closeFar();
    }
    for (const { stream } of [...this.#readers.values(), ...this.#writers.values()]) stream.closeFar();
    for (const stream of this.#asks.values()) stream.closeFar();
    this.#timer = undefined;
    this.#timerMs = undefined;
  }

  /** It begins anew, in its next epoch. */
  restart(): void {
    this.host.revive();
    this.#machine = this.#newMachine();
    this.#store = new PayloadStore();
    this.#sessions = new Map();
    this.#lastSession = 0;
    this.#jobs = new Map();
    this.#readers = new Map();
    this.#writers = new Map();
    this.#asks = new Map();
    this.#requests = new Map();
    this.#events = [];
    this.#isStepping = false;
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
        this.#step({ type: 'stallObserved', stalledMs: lostMs });
      }
    });
  }

  /** An operator takes an agent out of service, or puts it back. */
  drain(agent: string, draining: boolean): void {
    this.host.do(() => {
      const isKnown = this.snapshot().scheduler.agents.some((each) => each.agent === agent);
      if (!isKnown) return;
      this.#world.oracle.drains.set(agent, draining);
      this.#step({ type: draining ? 'drainRequested' : 'resumeRequested', agent });
    });
  }

  #newMachine(): CoordinatorMachine {
    this.epoch += 1;
    const { graceMs, seed } = this.#world.scenario;
    return new CoordinatorMachine({ epoch: this.epoch, maxJobs: 1_000, graceMs }, { seed: seed % 2 ** 31 });
  }

  // -- steps -----------------------------------------------------------------------------------------------------

  #step(event: Happening, hand: Hand = {}): void {
    this.#events.push({ event, hand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    const { life } = this.host;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const stamped = { ...next.event, atMs: this.host.now() } as CoordinatorEvent;
      this.#world.saw('coordinator', stamped.type, stamped);
      for (const command of this.#machine.step(stamped)) {
        this.#world.ordered('coordinator', command);
        this.#carryOut(command, next.hand);
      }
      this.#world.oracle.coordinatorStepped(this);
      if (this.host.life !== life) return;
    }
    this.#isStepping = false;
    this.#arm();
  }

  #arm(): void {
    const dueMs = this.#machine.nextDeadlineMs();
    if (dueMs === this.#timerMs && this.#timer?.cancelled === false) return;
    if (this.#timer !== undefined) this.#timer.cancelled = true;
    this.#timerMs = dueMs;
    this.#timer = undefined;
    if (dueMs === undefined) return;
    this.#timer = this.host.at(dueMs, () => {
      this.#timer = undefined;
      this.#timerMs = undefined;
      this.#step({ type: 'clockTicked' });
    });
  }

  #carryOut(command: CoordinatorCommand, hand: Hand): void {
    const store = this.#store;
    const { oracle } = this.#world;
    switch (command.type) {
      // -- agents
      case 'admitAgent': {
        const session = this.#sessions.get(command.session);
        if (session === undefined) return;
        oracle.drains.admitted(session.agent, session.instance);
        session.control.sendDown({
          kind: 'joined',
          session: session.id,
          epoch: this.epoch,
          ...this.timing,
          abandonMs: 60_000,
          drop: command.drop,
        });
        return;
      }
      case 'refuseAgent': {
        const session = this.#sessions.get(command.session);
        if (session === undefined) return;
        session.control.sendDown({ kind: 'refused', code: 'AGENT_NAME_TAKEN' }, 'strict');
        this.#forgetSession(session);
        return;
      }
      case 'answerHeartbeat': {
        const { heartbeatMs, leaseMs } = this.timing;
        const { sequence, drop } = command;
        this.#sessions
          .get(command.session)
          ?.control.sendDown({ kind: 'heartbeatAnswer', sequence, drop, heartbeatMs, leaseMs });
        return;
      }
      case 'dispatch': {
        const job = this.#jobs.get(command.job);
        const session = this.#sessions.get(command.session);
        oracle.attempts.dispatched(command, this.epoch);
        if (job === undefined || session === undefined) return;
        job.holders.add(session);
        const { attempt, first, count, marksStarts, tryNumber } = command;
        const blocks = store.blocksFor(command.job, first, count);
        if (!session.told.has(command.job)) {
          session.told.add(command.job);
          session.setups.push(command.job);
        }
        session.handovers.push({ attempt, job: command.job, first, count, marksStarts, tryNumber, blocks });
        this.#sendSoon(session);
        return;
      }
      case 'revoke':
        this.#sessions.get(command.session)?.control.sendDown({ kind: 'revoke', attempt: command.attempt });
        return;
      case 'endSession': {
        const session = this.#sessions.get(command.session);
        if (session === undefined) return;
        oracle.leases.sessionEnded(command.session, command.reason);
        session.control.sendDown({ kind: 'sessionEnded', reason: command.reason }, 'strict');
        this.#forgetSession(session);
        return;
      }
      // -- payload
      case 'keepBlock': {
        const writer = this.#writers.get(command.call);
        const block = writer?.held ?? hand.block;
        if (writer !== undefined) writer.held = undefined;
        if (block === undefined) return;
        store.addBlock(command.job, block);
        const job = this.#jobs.get(command.job);
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
        const execution = command.withPayload ? hand.tried?.execution : undefined;
        const stored = { index, kind: failure.kind, attempts: failure.attempts, execution };
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
        this.#jobs.set(command.job, {
          plan: this.#requests.get(command.call) ?? '',
          holders: new Set(),
          ending: undefined,
          pushed: 0,
        });
        oracle.jobs.created(command.job, this.#requests.get(command.call) ?? '', this.epoch);
        return;
      case 'answerCreate':
        this.#answer(command.call, { kind: 'created', job: command.job });
        return;
      case 'answer':
        this.#answer(command.call, { kind: 'done' });
        return;
      case 'refuse':
        this.#refuse(command.call, errorOf(command.refusal));
        return;
      case 'bindReader': {
        const reader = this.#readers.get(command.call);
        if (reader === undefined) return;
        reader.sent = command.fromPosition;
        reader.upTo = command.fromPosition;
        return;
      }
      case 'offerOutcomes': {
        const reader = this.#readers.get(command.call);
        if (reader === undefined) return;
        reader.upTo = command.upTo;
        this.#pumpSoon(command.call, reader);
        return;
      }
      case 'grant':
        this.#readers.get(command.call)?.stream.sendDown({ kind: 'granted', upTo: command.upTo });
        return;
      case 'endReader': {
        const reader = this.#readers.get(command.call);
        if (reader === undefined) return;
        reader.isEnding = true;
        this.#pumpSoon(command.call, reader);
        return;
      }
      case 'bindWriter':
        return;
      case 'holdBlock': {
        const writer = this.#writers.get(command.call);
        if (writer === undefined) return;
        writer.held = hand.block;
        writer.isPaused = true;
        return;
      }
      case 'resumeWriter': {
        const writer = this.#writers.get(command.call);
        if (writer === undefined) return;
        writer.isPaused = false;
        // Never in the middle of a step.
        this.host.after(0, () => this.#drainWriter(command.call));
        return;
      }
      case 'endWriter': {
        const writer = this.#writers.get(command.call);
        this.#writers.delete(command.call);
        writer?.stream.sendDown({ kind: 'done', acceptedItems: command.acceptedItems });
        writer?.stream.closeFar();
        return;
      }
      case 'finishJob': {
        const job = this.#jobs.get(command.job);
        if (job === undefined) return;
        const { ending } = command;
        job.ending = ending.state === 'failedFast' ? ending : { state: ending.state };
        oracle.jobs.ended(command.job, ending.state);
        store.releaseItems(command.job, 0, job.pushed);
        for (const session of job.holders) {
          if (!session.told.delete(command.job)) continue;
          session.forgotten.push(command.job);
          this.#sendSoon(session);
        }
        job.holders.clear();
        return;
      }
      case 'forgetJob':
        this.#jobs.delete(command.job);
        store.forgetJob(command.job);
        return;
      case 'note':
        oracle.noted(command.note);
        return;
      default:
        command satisfies never;
    }
  }

  // -- agents ----------------------------------------------------------------------------------------------------

  /** Control streams come in here. */
  readonly agents: Listener<ControlUp, ControlDown> = this.#listener((stream) => {
    let session: Session | undefined;
    return {
      received: (message) => {
        if (message.kind === 'join') session = this.#join(message, stream);
        else if (session !== undefined && !session.isOver) this.#heard(session, message);
      },
      closed: () => session && this.#streamClosed(session),
    };
  });

  /** Data streams come in here. */
  readonly data: Listener<DataUp, DataDown> = this.#listener((stream) => {
    let session: Session | undefined;
    return {
      received: (message) => {
        if (message.kind === 'hello') {
          const found = this.#sessions.get(message.session);
          if (found === undefined || message.epoch !== this.epoch || found.data !== undefined) {
            stream.closeFar();
            return;
          }
          session = found;
          found.data = stream;
          this.#sendSoon(found);
        } else if (session !== undefined && !session.isOver) this.#dataReceived(session, message);
      },
      closed: () => session && this.#streamClosed(session),
    };
  });

  #listener<Up, Down>(accept: (stream: Stream<Up, Down>) => Omit<End<Up>, 'host'>): Listener<Up, Down> {
    const host = (): Host => this.host;
    return {
      get host() {
        return host();
      },
      accept: (stream) => ({ host: this.host, ...accept(stream) }),
    };
  }

  #join(join: Extract<ControlUp, { kind: 'join' }>, control: Stream<ControlUp, ControlDown>): Session {
    this.#lastSession += 1;
    const session: Session = {
      id: this.#lastSession,
      agent: join.agent,
      instance: join.instance,
      control,
      data: undefined,
      isLeaving: false,
      isOver: false,
      isRefused: false,
      taken: 0,
      setups: [],
      handovers: [],
      forgotten: [],
      isSending: false,
      told: new Set(),
      parts: new Map(),
    };
    this.#sessions.set(session.id, session);
    const { agent, instance, slots, labels } = join;
    const held = join.held.map(({ attempt, job, epoch }) => ({ attempt, job, epoch }));
    this.#world.oracle.leases.heardOf(session.id, agent);
    this.#step({ type: 'joinReceived', session: session.id, agent, instance, slots, labels, held });
    return session;
  }

  #heard(session: Session, message: ControlUp): void {
    switch (message.kind) {
      case 'heartbeat':
        this.#world.oracle.leases.heardOf(session.id, session.agent);
        this.#step({
          type: 'heartbeatListed',
          session: session.id,
          sequence: message.sequence,
          held: message.held,
          stalledForMs: 0,
        });
        return;
      case 'draining':
        this.#world.oracle.drains.set(session.agent, true);
        this.#step({ type: 'drainRequested', agent: session.agent });
        return;
      case 'leaving':
        session.isLeaving = true;
        this.#streamClosed(session);
        return;
    }
  }

  #dataReceived(session: Session, message: DataUp): void {
    if (message.kind === 'end') {
      this.#send(session);
      session.data?.sendDown({ kind: 'end' }, 'strict');
      return;
    }
    if (message.kind !== 'batch') return;
    for (const report of message.reports) this.#takeReport(session, report);
    if (session.isOver) return;
    session.taken = Math.max(session.taken, message.sequence);
    this.#sendSoon(session);
  }

  #takeReport(session: Session, report: Report): void {
    const { attempt, news } = report;
    const { id } = session;
    switch (news.kind) {
      case 'run': {
        const bytes = wholeBytes(session, report);
        if (bytes === undefined) return;
        const { first, count, runMs } = news;
        this.#step(
          { type: 'itemsSucceeded', session: id, attempt, first, count, bytes: bytes.byteLength, runMs },
          { run: { first, count, bytes } },
        );
        return;
      }
      case 'failure': {
        const { tried, fact } = news;
        const failure = { kind: tried.kind, retryable: tried.retryable, attempt: fact };
        this.#step({ type: 'itemFailed', session: id, attempt, index: tried.index, failure }, { tried });
        return;
      }
      case 'ended':
        session.parts.delete(attempt);
        this.#step({ type: 'attemptEnded', session: id, attempt, ending: news.ending });
        return;
    }
  }

  #streamClosed(session: Session): void {
    if (session.isOver) return;
    this.#forgetSession(session);
    if (session.isLeaving) this.#world.oracle.drains.left(session.agent);
    this.#step({ type: 'sessionClosed', session: session.id, orderly: session.isLeaving });
  }

  #forgetSession(session: Session): void {
    if (session.isOver) return;
    session.isOver = true;
    this.#world.oracle.leases.sessionClosed(session.id);
    this.#sessions.delete(session.id);
    for (const { holders } of this.#jobs.values()) holders.delete(session);
    session.control.closeFar();
    session.data?.closeFar();
  }

  #sendSoon(session: Session): void {
    if (session.isSending || session.data === undefined) return;
    session.isSending = true;
    this.host.after(0, () => {
      session.isSending = false;
      this.#send(session);
    });
  }

  #send(session: Session): void {
    const { data, taken, setups, handovers, forgotten } = session;
    if (data === undefined || (taken === 0 && setups.length + handovers.length + forgotten.length === 0))
      return;
    session.taken = 0;
    session.setups = [];
    session.handovers = [];
    session.forgotten = [];
    // An announcement that is lost alone would leave the agent without a job that it is taken to know.
    const bearing = setups.length + forgotten.length > 0 ? 'strict' : taken > 0 ? 'ordered' : 'loose';
    data.sendDown({ kind: 'work', taken, setups, handovers, forgotten }, bearing);
  }

  // -- clients ---------------------------------------------------------------------------------------------------

  /** Calls with one answer. */
  readonly asks: Listener<AskUp, AskDown> = this.#listener((stream) => {
    let call = 0;
    return {
      received: (message) => {
        call = this.#nextCall();
        this.#asks.set(call, stream);
        this.#asked(call, message);
      },
      closed: () => void this.#asks.delete(call),
    };
  });

  readonly reads: Listener<ReadUp, ReadDown> = this.#listener((stream) => {
    let call = 0;
    return {
      received: ({ job, session, fromPosition }) => {
        call = this.#nextCall();
        this.#readers.set(call, {
          stream,
          job,
          sent: fromPosition,
          upTo: fromPosition,
          isEnding: false,
          isPumping: false,
        });
        this.#step({ type: 'readerOpened', call, job, session, fromPosition });
      },
      closed: () => {
        if (this.#readers.delete(call)) this.#step({ type: 'readerClosed', call });
      },
    };
  });

  readonly writes: Listener<WriteUp, WriteDown> = this.#listener((stream) => {
    const call = this.#nextCall();
    this.#writers.set(call, { stream, held: undefined, isPaused: false, waiting: [] });
    return {
      received: (message) => {
        this.#writers.get(call)?.waiting.push(message);
        this.#drainWriter(call);
      },
      closed: () => {
        if (this.#writers.delete(call)) this.#step({ type: 'writerClosed', call, orderly: false });
      },
    };
  });

  #nextCall(): number {
    this.#lastCall += 1;
    return this.#lastCall;
  }

  #asked(call: number, ask: AskUp): void {
    switch (ask.kind) {
      case 'create': {
        this.#lastJob += 1;
        this.#requests.set(call, ask.name);
        const { name, requestId } = ask;
        const job = `${name}@${this.epoch}.${this.#lastJob}`;
        const spec = this.#world.specOf(name, this.host.now());
        if (spec.deadlineAtMs !== undefined) this.#deadlines.set(job, spec.deadlineAtMs);
        this.#step({ type: 'jobRequested', call, job, requestId, fingerprint: name, spec });
        this.#requests.delete(call);
        return;
      }
      case 'acknowledge': {
        const { job, session, position } = ask;
        this.#step({ type: 'acknowledgementReceived', call, job, session, position });
        return;
      }
      case 'cancel':
        this.#step({ type: 'cancelReceived', call, job: ask.job, reason: ask.reason });
        return;
      case 'getJob': {
        const view = this.#machine.job(ask.job);
        if (view === undefined) this.#answer(call, { kind: 'failed', error: { code: 'JOB_NOT_FOUND' } });
        else this.#answer(call, { kind: 'input', acceptedItems: view.pushed, inputEnded: view.inputEnded });
        return;
      }
    }
  }

  #drainWriter(call: number): void {
    const writer = this.#writers.get(call);
    if (writer === undefined) return;
    while (!writer.isPaused && this.#writers.has(call)) {
      const message = writer.waiting.shift();
      if (message === undefined) return;
      switch (message.kind) {
        case 'start': {
          const { job, session, firstIndex } = message;
          this.#step({ type: 'writerOpened', call, job, session, firstIndex });
          break;
        }
        case 'block': {
          const { first, count, bytes } = message.block;
          this.#step(
            { type: 'blockReceived', call, first, count, bytes: bytes.byteLength },
            { block: message.block },
          );
          break;
        }
        case 'endOfInput':
          this.#step({ type: 'inputEndReceived', call, totalItems: message.totalItems });
          break;
      }
    }
  }

  #answer(call: number, answer: AskDown): void {
    const stream = this.#asks.get(call);
    this.#asks.delete(call);
    stream?.sendDown(answer);
    stream?.closeFar();
  }

  #refuse(call: number, error: CallError): void {
    const reader = this.#readers.get(call);
    const writer = this.#writers.get(call);
    this.#readers.delete(call);
    this.#writers.delete(call);
    const stream = reader?.stream ?? writer?.stream;
    if (stream === undefined) {
      this.#answer(call, { kind: 'failed', error });
      return;
    }
    stream.sendDown({ kind: 'failed', error });
    stream.closeFar();
  }

  #pumpSoon(call: number, reader: Reader): void {
    if (reader.isPumping) return;
    reader.isPumping = true;
    this.host.after(0, () => {
      reader.isPumping = false;
      if (this.#readers.get(call) === reader) this.#pump(call, reader);
    });
  }

  #pump(call: number, reader: Reader): void {
    const { stream, job } = reader;
    if (reader.sent < reader.upTo) {
      const position = reader.sent;
      const outcomes: OutcomeMessage[] = [];
      for (const outcome of this.#store.outcomesFrom(job, position)) {
        if (outcome.position >= reader.upTo) break;
        outcomes.push(...messagesOf(outcome));
        reader.sent = outcome.position + outcome.count;
      }
      // Cut anywhere, in the middle of a run as well.
      for (let at = 0, before = position; at < outcomes.length; at += 3) {
        const batch = outcomes.slice(at, at + 3);
        stream.sendDown({ kind: 'batch', position: before, outcomes: batch });
        for (const each of batch) {
          if (each.kind === 'failure') before += 1;
          else if (!each.more) before += each.count;
        }
      }
    }
    if (!reader.isEnding) return;
    const ending = this.#jobs.get(job)?.ending;
    stream.sendDown({ kind: 'ended', state: ending?.state ?? 'unknown', failedIndex: ending?.index });
    this.#readers.delete(call);
    stream.closeFar();
    this.#step({ type: 'readerClosed', call });
  }
}

/** An outcome as it travels: big runs in parts. */
function messagesOf(outcome: Outcome<ResultBytes, StoredFailure>): OutcomeMessage[] {
  if (outcome.kind === 'failure') {
    return [{ kind: 'failure', index: outcome.first, failure: outcome.failure }];
  }
  const { first, count, offset, run } = outcome;
  const skip = offset * 4;
  const messages: OutcomeMessage[] = [];
  for (let from = 0; from < run.bytes.byteLength; from += messageBytes) {
    const bytes = run.bytes.subarray(from, from + messageBytes);
    const more = from + messageBytes < run.bytes.byteLength;
    messages.push({ kind: 'run', first, count, skip, bytes, more });
  }
  return messages;
}

/** The bytes of a run, once its last part is here. */
function wholeBytes(
  session: Session,
  { attempt, news, fromByte, toByte, more }: Report,
): Uint8Array | undefined {
  if (news.kind !== 'run') return undefined;
  const known = session.parts.get(attempt);
  if (known === undefined && !more) return news.bytes;
  const parts = known ?? [];
  parts.push(news.bytes.subarray(fromByte, toByte));
  session.parts.set(attempt, parts);
  if (more) return undefined;
  session.parts.delete(attempt);
  return new Uint8Array(Buffer.concat(parts));
}

function errorOf(refusal: Extract<CoordinatorCommand, { type: 'refuse' }>['refusal']): CallError {
  return refusal.code === 'ITEMS_OUT_OF_STEP'
    ? { code: refusal.code, next: refusal.next }
    : { code: refusal.code };
}

import { timerMsMax } from '@shoal/errors';
import { ItemFailure, JobState, type LimitName, type Print } from '@shoal/protocol';
import type { JobId, Note, PayloadStore, SessionId } from '@shoal/scheduler';
import type { AgentLink } from './agents/agent-link.ts';
import type { BundleStore } from './bundles/bundle-store.ts';
import type { CoordinatorCommand, CoordinatorEvent, CoordinatorMachine, FinishJob } from './core/index.ts';
import { ClientCalls } from './jobs/client-calls.ts';
import { finalFailure, type TriedPayload } from './jobs/final-failure.ts';
import { Job } from './jobs/job.ts';
import { jobEnded } from './jobs/job-end.ts';
import type { CheckedRequest } from './jobs/job-request.ts';
import { PrintQueue } from './jobs/print-queue.ts';
import { waitingWords } from './jobs/waiting-words.ts';
import { StorageError, StoredBlock, StoredFailure, type StoredRun } from './payloads/payload.ts';
import type { PayloadVault } from './payloads/payload-vault.ts';
import { refusalError } from './refusal-error.ts';
import type { EventFeed } from './watch/event-feed.ts';
import type { EventLog } from './watch/event-log.ts';

/** What belongs to an event besides; it is kept only if a command of its step says so. */
export interface Hand {
  readonly run?: StoredRun;
  readonly tried?: TriedPayload;
  readonly request?: CheckedRequest;
}

/** So much of a print that no client can be told goes to the log. */
const unreadCharsMax = 1_024;

/** So many events are told of when the core fails. */
const storyEvents = 20;

/** The core has failed. Its caller is told no more than this: what others did before is none of its business. */
class CoreFailure extends Error {
  override readonly name = 'CoreFailure';
}

/** What a {@link Driver} drives. */
export interface DriverParts {
  readonly machine: CoordinatorMachine;
  readonly log: EventLog;
  readonly store: PayloadStore<StoredRun, StoredFailure, StoredBlock>;
  readonly vault: PayloadVault;
  readonly bundles: BundleStore;
  readonly feed: EventFeed;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Tells of time in which this process stood still (`stallObserved`), if there was any that is not told yet. */
  readonly lookForStall: () => void;
  /** Bytes of prints that wait for a job's client. */
  readonly maxPrintBytes: number;
  /** Where agents reach this coordinator, for the words of an error. */
  readonly address: () => string;
  /** A limit was reached, by somebody whose work goes on. */
  readonly onLimit: (limit: LimitName) => void;
}

/** An event before the driver has put the time on it. */
export type Happening<E = CoordinatorEvent> = E extends CoordinatorEvent ? Omit<E, 'atMs'> : never;

/**
 * Does what the core says, in the order in which it says it, and decides nothing.
 *
 *   event (+ bytes in hand) -> event log -> machine.step -> commands -> sessions, payload store, calls of clients
 */
export class Driver {
  readonly jobs: Map<JobId, Job> = new Map();
  readonly links: Map<SessionId, AgentLink> = new Map();
  readonly calls: ClientCalls = new ClientCalls();
  readonly machine: CoordinatorMachine;
  readonly #parts: DriverParts;
  /** Events that came while commands were carried out: each step is done before the next one begins. */
  readonly #waiting: Array<{ readonly event: Happening; readonly hand: Hand }> = [];
  #jobsCreated = 0;
  #stepping = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs: number = Number.POSITIVE_INFINITY;
  #ticksSoon = false;
  #stopped = false;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.machine = parts.machine;
  }

  /** Monotonic milliseconds, on the clock of every event. */
  now(): number {
    return this.#parts.now();
  }

  /**
   * A process of a job printed something. Told to the client of that job or, when that knows all of it already, of
   * another job of its group that still runs: a group is one client. Else it is logged.
   */
  printed(id: JobId, print: Print): void {
    const job = this.jobs.get(id);
    const reached = job?.hearsPrints === true ? job : this.#openJobOf(job?.request.options.group?.id);
    if (reached !== undefined) reached.print(print);
    else {
      const { agent, pid, text } = print;
      this.#parts.feed.tell('print.unread', { job: id, agent, pid }, text.slice(0, unreadCharsMax));
    }
  }

  /** An agent sent prints of a job that it was given no work of. */
  printRefused(job: JobId, agent: string): void {
    const message = `agent ${agent} sent prints of job ${job}, of which it was given no work; dropped`;
    this.#parts.feed.tell('print.refused', { job, agent }, message, 'warn');
  }

  #openJobOf(group: string | undefined): Job | undefined {
    if (group === undefined || group === '') return undefined;
    return [...this.jobs.values()].findLast(
      ({ hearsPrints, request }) => hearsPrints && request.options.group?.id === group,
    );
  }

  /** Something happened. `hand` holds what belongs to it. */
  step(event: Happening, hand: Hand = {}): void {
    if (this.#stopped) return;
    this.#waiting.push({ event, hand });
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const stamped = { ...next.event, atMs: this.#parts.now() } as CoordinatorEvent;
        this.#parts.log.append(stamped);
        for (const command of this.#decide(stamped)) this.#carryOut(command, next.hand);
      }
    } finally {
      this.#stepping = false;
      this.#arm();
    }
  }

  /** Once what comes in this turn of the event loop is in: what was pushed is handed out together. */
  tickSoon(): void {
    if (this.#ticksSoon) return;
    this.#ticksSoon = true;
    setImmediate(() => {
      this.#ticksSoon = false;
      // As for every tick: after a stall nobody is judged before it is known.
      this.#parts.lookForStall();
      this.step({ type: 'clockTicked' });
    });
  }

  /**
   * An error of the core is a bug of ours. Its story is logged here, for whoever handed over the event may only be able to tell
   * its caller; where there is none, as for a timer, it ends the coordinator.
   */
  #decide(event: CoordinatorEvent): CoordinatorCommand[] {
    try {
      return this.machine.step(event);
    } catch (cause) {
      const story = this.#parts.log.recent.slice(-storyEvents).map((each) => JSON.stringify(each));
      this.#tellFault('core.failed', { step: event.type }, cause, { story });
      throw new CoreFailure(`the coordinator's core failed at ${event.type}`, { cause });
    }
  }

  /** A message of this kind has met a bug of ours; of what was in it nothing is told. */
  fault(kind: string, error: unknown): void {
    this.#tellFault('coordinator.fault', { kind }, error);
  }

  #tellFault(event: string, facts: Record<string, string>, error: unknown, details: object = {}): void {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const where = Object.values(facts).join();
    const said = `a fault of the coordinator at ${where}: ${message}; please report it`;
    this.#parts.feed.tell(event, facts, said, 'error', { stack, ...details });
  }

  /** A limit was reached, by somebody whose work goes on. */
  limitReached(limit: LimitName): void {
    this.#parts.onLimit(limit);
  }

  /** Does something with bytes that may lie on the disk. If they cannot be read, their job ends, and nothing else. */
  reading(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.storageFailed(error.job, error.message);
    }
  }

  /** A job's bytes have no place, or are lost. */
  storageFailed(job: JobId, reason: string): void {
    this.#parts.feed.tell('job.storage', { job, reason }, `job ${job} ends: ${reason}`, 'error');
    this.step({ type: 'storageFailed', job, reason });
  }

  /** What an item of a job refers to stays as long as the job does. Throws `BUNDLE_NOT_FOUND` for what is not here. */
  keepConstants(job: Job, sha256s: readonly string[]): void {
    for (const sha256 of sha256s) {
      if (job.constants.has(sha256)) continue;
      this.#parts.bundles.pin(sha256);
      job.constants.add(sha256);
    }
  }

  /** No step is taken any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #carryOut(command: CoordinatorCommand, hand: Hand): void {
    const { store, vault } = this.#parts;
    switch (command.type) {
      case 'createJob':
        if (hand.request !== undefined) this.#create(command.job, hand.request);
        return;
      case 'answerCreate':
        this.calls.answer(command.call, command.job);
        return;
      case 'answer':
        this.calls.answer(command.call, '');
        return;
      case 'refuse':
        this.calls.refuse(command.call, refusalError(command.refusal));
        return;
      case 'bindReader': {
        const job = this.jobs.get(command.job);
        const reader = this.calls.reader(command.call);
        if (job === undefined || reader === undefined) return;
        job.reader = reader;
        reader.bound(job, command.fromPosition);
        return;
      }
      case 'offerOutcomes':
        this.calls.reader(command.call)?.offered(command.upTo);
        return;
      case 'endReader':
        this.calls.reader(command.call)?.ended();
        return;
      case 'bindWriter': {
        const job = this.jobs.get(command.job);
        if (job !== undefined) this.calls.writer(command.call)?.bound(job);
        return;
      }
      case 'grant':
        this.calls.granted(command.call, command.upTo);
        return;
      case 'keepBlock': {
        const block = this.calls.writer(command.call)?.takeBlock();
        if (block === undefined) return;
        const { count, first, job } = command;
        const payload = vault.payload(block.payload);
        store.addBlock(job, new StoredBlock(first, count, payload, block.broadcastSha256));
        return;
      }
      case 'holdBlock':
        this.limitReached(this.machine.heldBy(command.job) ?? 'windowBytes');
        this.calls.writer(command.call)?.holdBlock();
        return;
      case 'resumeWriter':
        this.calls.writer(command.call)?.resume();
        return;
      case 'endWriter': {
        const writer = this.calls.writer(command.call);
        this.calls.closed(command.call);
        writer?.done(command.acceptedItems);
        return;
      }
      case 'dispatch': {
        const job = this.jobs.get(command.job);
        const link = this.links.get(command.session);
        if (job === undefined || link === undefined) return;
        job.holders.add(link);
        const blocks = store.blocksFor(command.job, command.first, command.count);
        link.dispatch(command, job, blocks);
        return;
      }
      case 'revoke':
        this.links.get(command.session)?.revoke(command);
        return;
      case 'recall':
        this.links.get(command.session)?.recall(command);
        return;
      case 'keepResults':
        if (hand.run !== undefined) store.keepResults(command.job, hand.run, command.first, command.count);
        return;
      case 'keepFailure': {
        const tried = command.withPayload ? hand.tried : undefined;
        if (tried?.code === 'RESULT_TOO_LARGE') this.limitReached('resultBytes');
        const bytes = ItemFailure.encode(finalFailure(command, tried)).finish();
        const stored = new StoredFailure(vault.payload(bytes));
        store.keepFailure(command.job, command.index, stored, bytes.byteLength);
        return;
      }
      case 'releaseItems': {
        const blocks = store.releaseItems(command.job, command.first, command.count);
        if (blocks.length === 0) return;
        const holders = this.jobs.get(command.job)?.holders ?? [];
        for (const link of holders) link.itemsReleased(command.job, blocks);
        return;
      }
      case 'deliver':
        store.deliver(command.job, command.first, command.count);
        return;
      case 'releaseResults':
        store.releaseResults(command.job, command.position);
        return;
      case 'finishJob':
        this.#finish(command);
        return;
      case 'emptyJob':
        this.#empty(command.job);
        return;
      case 'forgetJob':
        this.#forget(command.job);
        return;
      case 'admitAgent':
        this.links.get(command.session)?.admit(command.keep, command.drop);
        return;
      case 'refuseAgent':
        this.links.get(command.session)?.refuse();
        return;
      case 'answerHeartbeat':
        this.links.get(command.session)?.answerHeartbeat(command.sequence, command.drop);
        return;
      case 'endSession':
        this.links.get(command.session)?.end(command);
        return;
      case 'note':
        this.#note(command.note);
        return;
      default:
        command satisfies never;
    }
  }

  #create(id: JobId, request: CheckedRequest): void {
    const { bundles, feed } = this.#parts;
    const view = this.machine.job(id);
    if (view === undefined) return;
    const prints = new PrintQueue(this.#parts.maxPrintBytes, () => this.limitReached('printBytes'));
    this.#jobsCreated += 1;
    this.jobs.set(id, new Job(id, this.#jobsCreated, request, view, prints));
    for (const sha256 of request.bundles) bundles.pin(sha256);
    const { name } = request.task;
    feed.tell('job.created', { job: id, task: name }, `job ${id} maps ${name} over its items`);
  }

  #note(note: Note['note']): void {
    this.#parts.feed.note(note);
    if (note.what !== 'itemsRetried') return;
    const job = this.jobs.get(note.job);
    // The scheduler forgets a job at its end, and this count goes with its last word.
    if (job !== undefined) job.retried += note.items;
  }

  #finish({ ending, job: id, speculation }: FinishJob): void {
    const { feed, store } = this.#parts;
    const job = this.jobs.get(id);
    if (job === undefined) return;
    const { failed, pushed, succeeded } = job.view;
    const { address, vault } = this.#parts;
    const wait = ending.state === 'deadline' ? ending.wait : undefined;
    const words = waitingWords(job, wait ?? {}, { address: address(), isTight: vault.isTight });
    for (const link of job.holders) link.forgetJob(id);
    job.holders.clear();
    job.lacking.clear();
    let failure: ItemFailure | undefined;
    if (ending.state === 'failedFast') {
      this.reading(() => {
        failure = store.failureOf(id, ending.index)?.told;
      });
    }
    // The results stay until the client has them; nobody needs the items. Without room nothing is kept.
    if (ending.state === 'noRoom') store.forgetJob(id);
    else store.releaseItems(id, 0, pushed);
    job.speculation = speculation;
    const end = jobEnded(job, ending, { failure, waitingFor: words });
    const state = Object.entries(JobState).find(([, value]) => value === end.state)?.[0] ?? '';
    feed.tell(
      'job.ended',
      { job: id, state: state.toLowerCase(), succeeded, failed },
      `job ${id} (${job.request.task.name}) ended: ${succeeded} values, ${failed} failures`,
    );
    job.finish(end);
  }

  #forget(id: JobId): void {
    this.#empty(id);
    this.jobs.delete(id);
  }

  /** Frees all that costs bytes. */
  #empty(id: JobId): void {
    const { bundles, store } = this.#parts;
    const job = this.jobs.get(id);
    if (job === undefined) return;
    for (const sha256 of [...job.request.bundles, ...job.constants]) bundles.unpin(sha256);
    store.forgetJob(id);
    job.empty();
  }

  /** A timer that fires early asks again; so it is set anew only for an earlier deadline. */
  #arm(): void {
    const atMs = this.machine.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
    if (this.#stopped || atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const delayMs = Math.min(Math.max(0, Math.ceil(atMs - this.#parts.now())), timerMsMax);
    this.#timer = setTimeout(() => this.#tick(), delayMs);
  }

  #tick(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    // After a stall this timer may come before the one that would notice it, and everybody's time would seem to be up.
    this.#parts.lookForStall();
    const dueMs = this.machine.nextDeadlineMs();
    if (dueMs !== undefined && dueMs <= this.#parts.now()) this.step({ type: 'clockTicked' });
    else this.#arm();
  }
}

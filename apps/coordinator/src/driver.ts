import { type ItemFailure, JobState, type Print } from '@shoal/protocol';
import type {
  Dispatch,
  EndSession,
  JobId,
  PayloadStore,
  Revoke,
  Scheduler,
  SchedulerCommand,
  SchedulerEvent,
  SessionId,
} from '@shoal/scheduler';
import type { EventFeed } from './event-feed.ts';
import { finalFailure, type TriedPayload } from './final-failure.ts';
import type { Job, StoredBlock, StoredRun } from './job.ts';
import { jobEnded } from './job-end.ts';

/** An agent's session, as far as the driver commands it. */
export interface AgentLink {
  readonly session: SessionId;
  dispatch(command: Dispatch, job: Job, blocks: readonly StoredBlock[]): void;
  revoke(command: Revoke): void;
  /** These blocks are needed no more. */
  itemsReleased(job: JobId, blocks: readonly StoredBlock[]): void;
  forgetJob(job: JobId): void;
  end(reason: EndSession['reason']): void;
  /** The join is refused: an agent of that name is alive. */
  refuse(): void;
}

/** The bytes that belong to an event; they are kept only if a command of its step says so. */
export interface Hand {
  readonly run?: StoredRun;
  readonly tried?: TriedPayload;
}

/** So much of a print that no client can be told goes to the log. */
const unreadCharsMax = 1_024;

/** What a {@link Driver} drives. */
export interface DriverParts {
  readonly scheduler: Scheduler;
  readonly store: PayloadStore<StoredRun, ItemFailure, StoredBlock>;
  readonly feed: EventFeed;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Tells of time in which this process stood still (`stallObserved`), if there was any that is not told yet. */
  readonly lookForStall: () => void;
}

/** An event before the driver has put the time on it. */
export type Happening<E = SchedulerEvent> = E extends SchedulerEvent ? Omit<E, 'atMs'> : never;

/**
 * Does what the scheduler says, in the order in which it says it, and decides nothing.
 *
 *   event (+ bytes in hand) -> scheduler.step -> commands -> sessions, payload store, readers and writers of jobs
 */
export class Driver {
  readonly jobs: Map<JobId, Job> = new Map();
  readonly links: Map<SessionId, AgentLink> = new Map();
  readonly #parts: DriverParts;
  /** Events that came while commands were carried out: each step is done before the next one begins. */
  readonly #waiting: Array<{ readonly event: Happening; readonly hand: Hand }> = [];
  #stepping = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs: number = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(parts: DriverParts) {
    this.#parts = parts;
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

  #openJobOf(group: string | undefined): Job | undefined {
    if (group === undefined || group === '') return undefined;
    return [...this.jobs.values()].findLast(
      ({ hearsPrints, request }) => hearsPrints && request.options.group?.id === group,
    );
  }

  /** Something happened. `hand` holds its bytes. */
  step(event: Happening, hand: Hand = {}): void {
    if (this.#stopped) return;
    this.#waiting.push({ event, hand });
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const stamped = { ...next.event, atMs: this.#parts.now() } as SchedulerEvent;
        for (const command of this.#parts.scheduler.step(stamped)) this.#carryOut(command, next.hand);
      }
    } finally {
      this.#stepping = false;
      this.#arm();
    }
  }

  /** No step is taken any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #carryOut(command: SchedulerCommand, hand: Hand): void {
    const { store, feed } = this.#parts;
    switch (command.type) {
      case 'dispatch': {
        const job = this.jobs.get(command.job);
        const link = this.links.get(command.session);
        if (job === undefined || link === undefined) return;
        job.holders.add(link);
        link.dispatch(command, job, store.blocksFor(command.job, command.first, command.count));
        return;
      }
      case 'revoke':
        this.links.get(command.session)?.revoke(command);
        return;
      case 'keepResults': {
        const job = this.jobs.get(command.job);
        if (job === undefined || hand.run === undefined) return;
        job.succeeded += command.count;
        store.keepResults(command.job, hand.run, command.first, command.count);
        return;
      }
      case 'keepFailure': {
        const job = this.jobs.get(command.job);
        if (job === undefined) return;
        job.failed += 1;
        const tried = command.withPayload ? hand.tried : undefined;
        store.keepFailure(command.job, command.index, finalFailure(command, tried));
        return;
      }
      case 'releaseItems': {
        const blocks = store.releaseItems(command.job, command.first, command.count);
        if (blocks.length === 0) return;
        const holders = this.jobs.get(command.job)?.holders ?? [];
        for (const link of holders) link.itemsReleased(command.job, blocks);
        return;
      }
      case 'deliver': {
        const job = this.jobs.get(command.job);
        if (job === undefined) return;
        job.delivered += command.count;
        const outcomes = store.deliver(command.job, command.first, command.count);
        job.reader?.outcomes(outcomes);
        return;
      }
      case 'releaseResults':
        store.releaseResults(command.job, command.position);
        return;
      case 'grantItems':
        this.jobs.get(command.job)?.grant(command.upTo);
        return;
      case 'endJob': {
        const job = this.jobs.get(command.job);
        if (job === undefined) return;
        // The results stay until the client has them; nobody needs the items.
        store.releaseItems(command.job, 0, job.pushed);
        for (const link of job.holders) link.forgetJob(command.job);
        job.holders.clear();
        const failure =
          command.outcome.state === 'failedFast'
            ? store.failureOf(command.job, command.outcome.index)
            : undefined;
        job.speculation = command.speculation;
        const end = jobEnded(job, command.outcome, failure);
        const state = Object.entries(JobState).find(([, value]) => value === end.state)?.[0] ?? '';
        feed.tell(
          'job.ended',
          { job: job.id, state: state.toLowerCase(), succeeded: job.succeeded, failed: job.failed },
          `job ${job.id} (${job.request.task.name}) ended: ${job.succeeded} values, ${job.failed} failures`,
        );
        job.finish(end);
        return;
      }
      case 'endSession':
        this.links.get(command.session)?.end(command.reason);
        return;
      case 'refuseJoin':
        this.links.get(command.session)?.refuse();
        return;
      case 'note':
        feed.note(command.note);
        return;
      default:
        command satisfies never;
    }
  }

  /** A timer that fires early asks again; so it is set anew only for an earlier deadline. */
  #arm(): void {
    const atMs = this.#parts.scheduler.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
    if (this.#stopped || atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const delayMs = Math.min(Math.max(0, Math.ceil(atMs - this.#parts.now())), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#tick(), delayMs);
  }

  #tick(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    // After a stall this timer may come before the one that would notice it, and everybody's time would seem to be up.
    this.#parts.lookForStall();
    const dueMs = this.#parts.scheduler.nextDeadlineMs();
    if (dueMs !== undefined && dueMs <= this.#parts.now()) this.step({ type: 'clockTicked' });
    else this.#arm();
  }
}

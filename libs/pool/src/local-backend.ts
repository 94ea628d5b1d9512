/**
 * Runs jobs on this machine: the scheduler with one agent that cannot be lost, and the process pool as that agent.
 *
 *   surface --blocks--> store     scheduler --dispatch--> child pool
 *   surface <--runs---- store <--keep, deliver-- scheduler <--results, failures, endings-- child pool
 *
 * It decides nothing: it turns what happens into events and does what the commands say.
 */
import { PayloadStore, Scheduler, type SchedulerCommand, type SchedulerEvent } from '@shoal/scheduler';
import { ChildPool } from './child-pool/child-pool.ts';
import type {
  Block,
  ChildSetup,
  ChunkEndingDetail,
  ChunkListener,
  ItemFailureReport,
  Print,
  ResultRun,
} from './child-pool/chunk-request.ts';
import { DeadlineTimer } from './child-pool/deadline-timer.ts';
import type { ChunkEnding, ChunkId } from './core/chunk.ts';
import { GatheredPushes } from './gathered-pushes.ts';
import type { FailedOutcome, JobBackend, JobRequest, JobSink, PoolStats, RunningJob } from './job-backend.ts';
import {
  attemptEndingOf,
  attemptFactOf,
  failedOutcomeOf,
  jobEndError,
  unrunnableError,
} from './local-endings.ts';
import { chunkPartsOf, jobSpecOf } from './local-job.ts';
import { OpenJobs } from './open-jobs.ts';
import { broadcastStore } from './values/broadcast-store.ts';

/** What a {@link LocalBackend} is made of. */
export interface LocalBackendOptions {
  readonly processes: number;
  /** What the children are like; jobs wait for it, and reject with its error. */
  readonly setup: ChildSetup | Promise<ChildSetup>;
  readonly maxResultBytes: number;
  /** Shows what belongs to no job: an initializer's prints. */
  readonly print: (print: Print) => void;
}

/** What an event brought along: kept if the scheduler says so, dropped otherwise. */
interface InHand {
  readonly run?: ResultRun;
  readonly failure?: ItemFailureReport;
}

const session = 1;
const agent = 'local';
// An aborted item gets this long between its AbortSignal and SIGKILL.
const abortGraceMs = 2_000;

/** The backend of `new Pool()`. */
export class LocalBackend implements JobBackend, ChunkListener {
  readonly #options: LocalBackendOptions;
  #setup: ChildSetup | undefined;
  readonly #setupKnown: Promise<void>;
  // Tiny shards wait for nobody here: more of them would only keep those to come small. What waits is ours, and not a machine's.
  readonly #scheduler = new Scheduler({ tinyFactor: 1 });
  readonly #store: PayloadStore<ResultRun, FailedOutcome, Block> = new PayloadStore();
  readonly #children: ChildPool;
  readonly #jobs: OpenJobs = new OpenJobs((id, nowMs) => this.#scheduler.progress(id, nowMs));
  /** Jobs by the attempts that the child pool holds. */
  readonly #attempts: Map<ChunkId, string> = new Map();
  readonly #events: { readonly event: SchedulerEvent; readonly inHand: InHand }[] = [];
  #isStepping = false;
  readonly #pushes: GatheredPushes = new GatheredPushes((push) =>
    this.#happened({ type: 'itemsPushed', atMs: performance.now(), ...push }),
  );
  #jobsOpened = 0;
  #itemsDone = 0;
  #isTerminated = false;
  readonly #deadline = new DeadlineTimer(() =>
    this.#happened({ type: 'clockTicked', atMs: performance.now() }),
  );
  readonly #unwatch: () => void;

  constructor(options: LocalBackendOptions) {
    this.#options = options;
    this.#children = new ChildPool({ processes: options.processes, listener: this });
    this.#unwatch = broadcastStore.watch((sha256) => this.#children.forgetBroadcast(sha256));
    this.#setupKnown = this.#learnSetup(options.setup);
    this.#setupKnown.catch(() => {});
    const slots = options.processes;
    const atMs = performance.now();
    this.#happened({
      type: 'agentJoined',
      atMs,
      agent,
      session,
      slots,
      labels: {},
      held: [],
      permanent: true,
    });
  }

  // -- as the surface's backend ------------------------------------------------------------------------------

  open(request: JobRequest, sink: JobSink): RunningJob {
    const job = `job-${++this.#jobsOpened}`;
    this.#jobs.open(job, request, sink);
    if (this.#setup !== undefined) this.#create(job, request);
    else {
      this.#setupKnown.then(
        () => this.#create(job, request),
        (error: Error) => this.#end(job, error),
      );
    }
    return {
      id: job,
      push: (block) => {
        if (!this.#jobs.has(job)) return;
        this.#store.addBlock(job, block);
        this.#pushes.add(job, block);
      },
      endInput: () => this.#happened({ type: 'inputEnded', atMs: performance.now(), job }),
      acknowledge: (position) =>
        this.#happened({ type: 'resultsAcknowledged', atMs: performance.now(), job, position }),
      cancel: (reason) => {
        if (this.#setup === undefined) this.#end(job, undefined);
        else this.#happened({ type: 'cancelRequested', atMs: performance.now(), job, reason });
      },
    };
  }

  stats(): PoolStats {
    this.#pushes.flush();
    const { processes, recycled, deaths, starts } = this.#children.stats();
    let queued = 0;
    let running = 0;
    for (const job of this.#jobs.ids) {
      const progress = this.#scheduler.progress(job);
      queued += progress?.queued ?? 0;
      running += progress?.running ?? 0;
    }
    return { processes, recycled, deaths, starts, queued, running, done: this.#itemsDone };
  }

  async close(): Promise<void> {
    if (this.#jobs.size > 0) await this.#jobs.none();
    this.#unwatch();
    await this.#children.close();
  }

  async terminate(error: Error): Promise<void> {
    // First, so that no word of the children reaches anybody any more.
    this.#isTerminated = true;
    this.#deadline.set(undefined);
    for (const job of this.#jobs.ids) this.#store.forgetJob(job);
    this.#jobs.endAll(error);
    this.#unwatch();
    await this.#children.terminate();
  }

  // -- as the child pool's listener --------------------------------------------------------------------------

  results(id: ChunkId, run: ResultRun): void {
    const { first, count, runMs } = run;
    const bytes = run.bytes.byteLength;
    const atMs = performance.now();
    const event = { type: 'itemsSucceeded', atMs, session, attempt: id, first, count, bytes, runMs } as const;
    this.#happened(event, { run });
  }

  itemFailed(id: ChunkId, report: ItemFailureReport): void {
    const { error, index, retryable, pid, ms } = report;
    const atMs = performance.now();
    const attempt = { pid, ms };
    const failure = { kind: 'thrown', retryable, attempt, bytes: error.byteLength } as const;
    this.#happened({ type: 'itemFailed', atMs, session, attempt: id, index, failure }, { failure: report });
  }

  ended(id: ChunkId, ending: ChunkEnding, detail: ChunkEndingDetail): void {
    const job = this.#jobs.get(this.#attempts.get(id) ?? '');
    this.#attempts.delete(id);
    const atMs = performance.now();
    const stderrTail = detail.stderrTail === undefined ? {} : { stderrTail: detail.stderrTail };
    if (ending.kind === 'timedOut') {
      const attempt = attemptFactOf(ending.exit, ending.ms);
      const failure = { kind: 'timeout', retryable: true, attempt, ...stderrTail } as const;
      const { index } = ending;
      this.#happened({ type: 'itemFailed', atMs, session, attempt: id, index, failure });
    }
    if (job !== undefined && (ending.kind === 'taskFailed' || ending.kind === 'initializerFailed')) {
      job.unrunnable ??= unrunnableError(ending.kind, detail);
    }
    const news = attemptEndingOf(ending, stderrTail);
    this.#happened({ type: 'attemptEnded', atMs, session, attempt: id, ending: news });
  }

  print(id: ChunkId | undefined, print: Print): void {
    const job = id === undefined ? undefined : this.#jobs.get(this.#attempts.get(id) ?? '');
    if (job === undefined) this.#options.print(print);
    else job.sink.print(print, undefined);
  }

  // -- jobs --------------------------------------------------------------------------------------------------

  async #learnSetup(setup: LocalBackendOptions['setup']): Promise<void> {
    const known = setup instanceof Promise ? await setup : setup;
    this.#setup = known;
    // What they will share is known with the first job: before it, they would be copies of another server, without it.
    if (known.preload === true && known.startChildren === 'fork') return;
    this.#warmUp(known, 1);
  }

  /** All children, one a turn: starting a process takes milliseconds in which nothing else would get on. */
  #warmUp(setup: ChildSetup, count: number): void {
    if (this.#isTerminated) return;
    this.#children.warm(setup, count);
    if (count < this.#options.processes) setImmediate(() => this.#warmUp(setup, count + 1));
  }

  #create(job: string, request: JobRequest): void {
    // Looked at again: the job may have been cancelled, or the pool terminated, while the setup was found out.
    if (!this.#jobs.has(job)) return;
    const atMs = performance.now();
    const spec = jobSpecOf(request, { id: agent, processes: this.#options.processes }, atMs);
    this.#happened({ type: 'jobCreated', atMs, job, spec });
  }

  #end(id: string, error: Error | undefined): void {
    this.#store.forgetJob(id);
    this.#jobs.end(id, error);
  }

  // -- the loop ----------------------------------------------------------------------------------------------

  /** Events one after another: what commands set off (an acknowledgement, a push) waits for its turn. */
  #happened(event: SchedulerEvent, inHand: InHand = {}): void {
    if (this.#isTerminated) return;
    // What was pushed before this comes before it.
    this.#pushes.flush();
    this.#events.push({ event, inHand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        for (const command of this.#scheduler.step(next.event)) this.#do(command, next.inHand);
      }
    } finally {
      this.#isStepping = false;
    }
    this.#deadline.set(this.#jobs.size === 0 ? undefined : this.#scheduler.nextDeadlineMs());
  }

  #do(command: SchedulerCommand, inHand: InHand): void {
    switch (command.type) {
      case 'dispatch':
        this.#dispatch(command);
        return;
      case 'revoke':
        this.#children.abort(command.attempt, abortGraceMs);
        return;
      case 'recall':
        this.#children.recall(command.attempt);
        return;
      case 'keepResults':
        if (inHand.run !== undefined) {
          this.#store.keepResults(command.job, inHand.run, command.first, command.count);
        }
        return;
      case 'keepFailure': {
        const report = command.withPayload ? inHand.failure : undefined;
        const outcome = failedOutcomeOf(command.index, command.failure, report);
        this.#store.keepFailure(command.job, command.index, outcome);
        return;
      }
      case 'releaseItems':
        this.#store.releaseItems(command.job, command.first, command.count);
        return;
      case 'deliver':
        this.#deliver(command.job, command.first, command.count);
        return;
      case 'releaseResults':
        this.#store.releaseResults(command.job, command.position);
        return;
      case 'grantItems':
        this.#jobs.get(command.job)?.sink.granted(command.upTo);
        return;
      case 'endJob':
        this.#endJob(command);
        return;
      // One permanent agent joins no second time, is never lost, and reads no log.
      case 'endSession':
      case 'refuseJoin':
      case 'note':
        return;
    }
  }

  #dispatch(command: Extract<SchedulerCommand, { type: 'dispatch' }>): void {
    const { attempt, job, first, count, marksStarts, tryNumber } = command;
    const request = this.#jobs.get(job)?.request;
    const setup = this.#setup;
    if (request === undefined || setup === undefined) return;
    this.#attempts.set(attempt, job);
    this.#children.run({
      ...chunkPartsOf(request, this.#options.maxResultBytes),
      id: attempt,
      setup,
      job,
      first,
      count,
      blocks: this.#store.blocksFor(job, first, count),
      marksStarts,
      tryNumber,
    });
  }

  #deliver(id: string, first: number, count: number): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    for (const outcome of this.#store.deliver(id, first, count)) {
      this.#itemsDone += outcome.count;
      if (outcome.kind === 'failure') job.sink.failed(outcome.failure);
      else {
        const { bytes, pid } = outcome.run;
        job.sink.values(outcome.first, outcome.count, bytes, outcome.offset, { pid });
      }
    }
    job.sayProgress();
  }

  #endJob({ job: id, outcome, retried, speculation }: Extract<SchedulerCommand, { type: 'endJob' }>): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    if (speculation !== undefined || retried !== undefined) {
      job.sayLast({ ...(retried === undefined ? {} : { retried }), ...speculation });
    }
    if (outcome.state === 'failedFast') {
      const failure = this.#store.failureOf(id, outcome.index);
      if (failure !== undefined) job.sink.failed(failure);
    }
    this.#end(id, jobEndError(outcome, job.request, job.unrunnable));
  }
}

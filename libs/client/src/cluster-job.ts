import { JobCancelledError, pastDeadline, ShoalError, timerMsMax } from '@shoal/errors';
import type { BackendProgress, BlobFile, Block, JobRequest, JobSink, RunningJob } from '@shoal/pool';
import type {
  CancelJobResponse,
  GroupStats,
  ItemFailure,
  JobEnded,
  JobProgress,
  Print,
  ResultRun,
} from '@shoal/protocol';
import type { Connection } from './connection.ts';
import { ItemGate } from './item-gate.ts';
import { JobDriver } from './job-driver.ts';
import { endErrorOf, fastFailureOf } from './job-ending.ts';
import type { JobGate, JobPlace } from './job-gate.ts';
import { failedOutcome, type JobCode, printOf, progressOf } from './job-messages.ts';
import type { OutcomeListener } from './outcome-delivery.ts';
import { isOnTheWay } from './reconnection.ts';

/** A job as the coordinator knows it. */
export interface CreatedJob {
  readonly id: string;
  /** How many items may be pushed before its results are read; 0: a coordinator that says it there. */
  readonly grantedItems: number;
  /** The code that travelled with it; undefined where all of it was source text. */
  readonly code: JobCode | undefined;
}

/** What a {@link ClusterJob} is made of. */
export interface ClusterJobOptions {
  readonly connection: Connection;
  readonly request: JobRequest;
  readonly sink: JobSink;
  /** Where it waits for its turn. */
  readonly gate: JobGate;
  /** Ships the code and creates the job; `deadlineMs` is asked last, for time passes meanwhile. */
  readonly create: (deadlineMs: () => number | undefined) => Promise<CreatedJob>;
  /** Resolves when the coordinator has a constant. */
  readonly ship: (file: BlobFile) => Promise<void>;
  readonly onStats: (stats: GroupStats) => void;
  /** Last words that are on their way: whoever closes the connection waits for them. */
  readonly onParting: (word: Promise<void>) => void;
  /** After the sink heard of the end; what the coordinator is told of it may come later. */
  readonly onOver: () => void;
}

/** Where a job stands, for `stats()`. */
export interface JobCounts {
  readonly queued: number;
  readonly running: number;
  readonly done: number;
}

/**
 * One job on a cluster: from the surface's blocks to the coordinator's items, from its outcomes to the surface's sink.
 *
 * Nothing of it is with the coordinator until the connection has room for it.
 *
 *   push, acknowledge --> ItemGate --> JobDriver --PushItems, AcknowledgeResults--> coordinator
 *   sink <----------------------------    |     <-ReadResults---------------------
 *                                    client's core
 */
export class ClusterJob implements RunningJob, OutcomeListener {
  readonly #options: ClusterJobOptions;
  readonly #place: JobPlace;
  readonly #openedAtMs: number = performance.now();
  /** Its deadline, for as long as nobody else sees to it. */
  #deadline: NodeJS.Timeout | undefined;
  #created: CreatedJob | undefined;
  #gate: ItemGate | undefined;
  #driver: JobDriver | undefined;
  #counts: JobCounts = { queued: 0, running: 0, done: 0 };
  /** Where the coordinator last said that it stands. */
  #progress: BackendProgress = {
    done: 0,
    failed: 0,
    retried: 0,
    running: 0,
    speculated: 0,
    speculationWins: 0,
  };
  /** What it waits for, as was told last. */
  #waitingFor: string | undefined;
  #failedIndices: Set<number> = new Set();
  #inputEnded = false;
  #cancelReason: string | undefined;
  #over = false;

  constructor(options: ClusterJobOptions) {
    this.#options = options;
    let isInAtOnce = true;
    const { deadlineMs } = options.request;
    if (deadlineMs !== undefined) {
      // Whoever waits for the results keeps the process alive.
      this.#deadline = setTimeout(() => this.#passDeadline(), Math.min(deadlineMs, timerMsMax)).unref();
    }
    this.#place = options.gate.enter({
      letIn: () => {
        // What was said of its wait holds no more.
        if (!isInAtOnce) this.#tell(this.#progress);
        this.#start().catch((error: unknown) => this.end(error));
      },
      refuse: (error) => this.end(error),
      wait: () => this.#wait(),
    });
    isInAtOnce = false;
    if (this.#place.isWaiting) this.#wait();
  }

  get id(): string {
    return this.#created?.id ?? '';
  }

  /** The code that travelled with it. */
  get #code(): JobCode | undefined {
    return this.#created?.code;
  }

  get counts(): JobCounts {
    return this.#counts;
  }

  /** Resolves when the coordinator knows that nothing of the job is wanted any more, or cannot be told. */
  get told(): Promise<void> {
    return this.#driver?.told ?? Promise.resolve();
  }

  async #start(): Promise<void> {
    const { connection, create, request, ship } = this.#options;
    let toldMs: number | undefined;
    const created = await create(() => {
      // Under an id of the caller's, two requests have to be alike to be one job.
      toldMs = request.requestId === undefined ? this.#leftMs() : request.deadlineMs;
      return toldMs;
    });
    this.#created = created;
    // The coordinator counts from when it has the request. Where it took its time to get there, it is no judge.
    if ((toldMs ?? 0) - (this.#leftMs() ?? 0) <= lateMsMax) clearTimeout(this.#deadline);
    if (this.#over || this.#cancelReason !== undefined) {
      // Ended while it was being created: nobody is there any more who would read it.
      void this.#cancelNow(this.#cancelReason ?? 'its client gave it up');
      return this.end(new JobCancelledError({ reason: this.#cancelReason ?? 'its pool has ended' }));
    }
    const { windowItems } = request;
    const driver = new JobDriver({
      connection,
      jobId: created.id,
      windowItems,
      isWatched: this.#options.sink.isWatched,
      deadlineAtMs: this.#deadlineAtMs,
      listener: this,
    });
    this.#driver = driver;
    this.#gate = new ItemGate({
      push: (block) => driver.push(block),
      endInput: () => driver.endInput(),
      ship,
      failed: (error) => this.#cannotGoOn(error),
    });
    if (this.#inputEnded) this.#gate.endInput();
    // The first items leave with the request for results, not a way there and back later.
    if (created.grantedItems > 0) this.granted(created.grantedItems);
  }

  /** The connection carries no further job for now, or nobody knows whether it does. */
  #wait(): void {
    const waitingFor = this.#options.gate.isInDoubt ? this.#lostText : 'waits for other jobs of this pool';
    this.#tell({ ...this.#progress, waitingFor });
  }

  #tell(progress: BackendProgress): void {
    this.#waitingFor = progress.waitingFor;
    this.#options.sink.progress(progress);
  }

  get #lostText(): string {
    return `the connection to ${this.#options.connection.address.text} was lost, trying again`;
  }

  get #deadlineAtMs(): number | undefined {
    const { deadlineMs } = this.#options.request;
    return deadlineMs === undefined ? undefined : this.#openedAtMs + deadlineMs;
  }

  /** What its way so far has left of its time. */
  #leftMs(): number | undefined {
    const atMs = this.#deadlineAtMs;
    return atMs === undefined ? undefined : Math.max(1, Math.ceil(atMs - performance.now()));
  }

  // -- for the surface ---------------------------------------------------------------------------------------

  push(block: Block): void {
    // Nothing is granted before there is a driver.
    if (!this.#over) this.#gate?.push(block);
  }

  endInput(): void {
    this.#inputEnded = true;
    if (!this.#over) this.#gate?.endInput();
  }

  acknowledge(position: number): void {
    if (!this.#over) this.#driver?.take(position);
  }

  cancel(reason: string): void {
    if (this.#over || this.#cancelReason !== undefined) return;
    this.#cancelReason = reason;
    // Whoever waited for its creation would wait for a coordinator that is away; if it comes about, it is cancelled then.
    if (this.#created === undefined) this.end(new JobCancelledError({ reason }));
    // The stream of results brings the end, with what was delivered before it.
    else void this.#cancelNow(reason);
  }

  /** Ends it here, whatever the coordinator does; a running job is cancelled there. Resolves when it is told. */
  async abandon(error: Error): Promise<void> {
    if (this.#over) return;
    this.end(error);
    if (this.#created !== undefined) await this.#cancelNow('its client ended');
  }

  // -- what the coordinator says -----------------------------------------------------------------------------

  values({ agent, count, first, payload, payloadSkip, pid }: ResultRun): void {
    if (this.#over) return;
    this.#settled(count);
    this.#options.sink.values(first, count, payload, payloadSkip, { agent, pid });
  }

  failed(failure: ItemFailure): void {
    if (this.#over) return;
    const { request, sink } = this.#options;
    this.#settled(1);
    if (request.failFast) this.#failedIndices.add(failure.index);
    sink.failed(failedOutcome(failure, request.encoding, this.#code));
  }

  granted(upTo: number): void {
    if (!this.#over) this.#options.sink.granted(upTo);
  }

  print(print: Print): void {
    if (!this.#over) this.#options.sink.print(printOf(print), print.agent === '' ? undefined : print.agent);
  }

  progress(progress: JobProgress): void {
    if (this.#over) return;
    const { queued, running } = progress;
    this.#counts = { ...this.#counts, queued, running };
    this.#progress = progressOf(progress);
    this.#tell(this.#progress);
  }

  reached(isReached: boolean): void {
    if (this.#over) return;
    this.#tell(isReached ? this.#progress : { ...this.#progress, waitingFor: this.#lostText });
  }

  stats(stats: GroupStats): void {
    this.#options.onStats(stats);
  }

  ended(ended: JobEnded): void {
    if (this.#over) return;
    this.#deliverFastFailure(ended);
    this.end(endErrorOf(ended, this.#options.request, this.#code));
  }

  lost(error: unknown): void {
    if (this.#over) return;
    this.end(error);
    // A coordinator out of reach cancels it by itself soon. One that refused something goes on with the rest until then.
    if (!isOnTheWay(error) && !this.#options.connection.closed.aborted) {
      void this.#cancelNow('its client could not go on with it');
    }
  }

  broke(error: unknown): void {
    // Whoever would be told of it has been told of an end.
    if (this.#over) throw error;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.lost(error instanceof ShoalError ? error : new ShoalError('INTERNAL', { reason }, { cause: error }));
  }

  /** The coordinator that is not heard knows the deadline, too: it need not be told. */
  late(): void {
    const { connection, request } = this.#options;
    const untaken =
      this.#created === undefined
        ? `waits until coordinator ${connection.address.text} has taken it`
        : undefined;
    this.end(pastDeadline(request.deadlineMs ?? 0, this.#waitingFor ?? untaken));
  }

  /** Ends it here; idempotent. */
  end(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#driver?.leave();
    this.#counts = { ...this.#counts, queued: 0, running: 0 };
    const { onOver, sink } = this.#options;
    sink.ended(error === undefined || error instanceof Error ? error : new Error(String(error)));
    onOver();
    this.#place.leave();
  }

  /** The deadline has passed here; a coordinator that has the job counts from later on. */
  #passDeadline(): void {
    if (this.#over) return;
    this.late();
    if (this.#created !== undefined) void this.#cancelNow('its deadline has passed');
  }

  #settled(count: number): void {
    this.#counts = { ...this.#counts, done: this.#counts.done + count };
  }

  /** The failure that ended a fail-fast job may lie behind outcomes that never come. */
  #deliverFastFailure(ended: JobEnded): void {
    const failure = fastFailureOf(ended);
    if (failure === undefined || this.#failedIndices.has(failure.index)) return;
    this.#options.sink.failed(failedOutcome(failure, this.#options.request.encoding, this.#code));
  }

  /** What its items need cannot be had; the coordinator does not know that by itself. */
  #cannotGoOn(error: unknown): void {
    if (this.#over) return;
    this.end(error);
    void this.#cancelNow('its client could not send what its items refer to');
  }

  #cancelNow(reason: string): Promise<void> {
    const word = this.#cancelThere(reason);
    this.#options.onParting(word);
    return word;
  }

  async #cancelThere(reason: string): Promise<void> {
    const { connection } = this.#options;
    try {
      await connection.call<CancelJobResponse>((...call) =>
        connection.jobs.cancelJob({ jobId: this.id, reason }, ...call),
      );
    } catch (error) {
      // It is over already, or cannot be reached: then the coordinator cancels it by itself soon.
      if (!(error instanceof ShoalError && error.code === 'JOB_NOT_FOUND')) this.end(error);
    }
  }
}

/** So much later than its client may a coordinator be that judges the deadline. */
const lateMsMax = 1_000;

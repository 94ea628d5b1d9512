import { serialize } from 'node:v8';
import { ShoalError } from '@shoal/errors';
import {
  ChildPool,
  type ChunkEndingDetail,
  type ChunkListener,
  type ItemFailureReport,
  type Print,
  type ResultRun,
} from '@shoal/pool';
import {
  type AgentStats,
  type AttemptReport,
  type CatalogueError,
  ChildState,
  type DataResponse,
  type Dispatch,
  Encoding,
  errorOf,
  FailureKind,
  type HeldAttempt,
  PrintStream,
  writeCatalogueError,
} from '@shoal/protocol';
import type { BundleCache } from './bundle-cache.ts';
import { type AgentTerms, bundlesOf, chunkRequest, type JobTemplate, jobTemplate } from './child-request.ts';
import { HeldJob } from './held-job.ts';
import type { Outbox } from './outbox.ts';

type ChunkEnding = Parameters<ChunkListener['ended']>[1];
type Ended = NonNullable<AttemptReport['ended']>;

/** How long an attempt that could not be started rests here before others get it. */
const returnAfterMs = 1000;

const returned: Ended = { ending: { $case: 'returned', value: {} } };

/** What a {@link ShardRunner} works with. */
export interface ShardRunnerParts {
  readonly processes: number;
  readonly terms: AgentTerms;
  readonly bundles: BundleCache;
  readonly outbox: Outbox;
}

interface KnownJob {
  readonly held: HeldJob;
  /** Set once the bundles are here. */
  template: JobTemplate | undefined;
  readonly ready: Promise<JobTemplate>;
  /** Bundles to be released with the job. */
  readonly holds: readonly string[];
}

interface RunningAttempt {
  readonly dispatch: Dispatch;
  readonly epoch: number;
  /** Of the pool; undefined while its bundle is on its way. */
  chunk: number | undefined;
  /** Taken back: nothing that its child still says of it counts. */
  revoked: boolean;
  /** It has its last report, which the coordinator has not taken yet. */
  reported: boolean;
}

/**
 * Runs what the coordinator hands over in the one process pool, and reports facts: values, failures, endings.
 *
 * It retries nothing and blames nobody. An attempt is held from its dispatch until its ending was taken; one that was
 * revoked is forgotten at once, even before its dispatch has come.
 */
export class ShardRunner implements ChunkListener {
  readonly #parts: ShardRunnerParts;
  readonly #pool: ChildPool;
  readonly #jobs = new Map<string, KnownJob>();
  readonly #attempts = new Map<number, RunningAttempt>();
  /** The attempt of each chunk that the pool has. */
  readonly #chunks = new Map<number, number>();
  /** Revoked before their dispatch came: control may overtake data. */
  readonly #revokedAhead = new Set<number>();
  /** Jobs that are over but for attempts that still need their bundles. */
  #leaving: { readonly id: string; readonly release: () => void }[] = [];
  /** The group that each child serves, as far as it has reported anything. */
  readonly #groupOf = new Map<number, string>();
  #highestDispatched = 0;
  #chunkIds = 0;
  #epoch = 0;
  #fenced = false;
  #draining = false;
  #onIdle: () => void = () => {};

  constructor(parts: ShardRunnerParts) {
    this.#parts = parts;
    this.#pool = new ChildPool({ processes: parts.processes, listener: this });
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Every attempt that is not over for the coordinator. */
  held(): HeldAttempt[] {
    return [...this.#attempts.values()].map(({ dispatch, epoch }) => ({
      attempt: dispatch.attempt,
      epoch,
      jobId: dispatch.jobId,
      items: { first: dispatch.first, count: dispatch.count },
    }));
  }

  /** A session has begun. What another epoch dispatched belongs to nobody any more, nor do the attempts to drop. */
  sessionBegan(epoch: number, drop: readonly number[]): void {
    if (epoch !== this.#epoch) this.abandon();
    this.#epoch = epoch;
    for (const attempt of drop) this.revoke(attempt);
    this.#revokedAhead.clear();
    this.#fenced = false;
    // The coordinator sends setups and blocks anew in each session; what runs has all that it needs.
    for (const id of [...this.#jobs.keys()]) this.#forgetJob(id);
    this.#parts.outbox.reopen((attempt) => this.#attempts.has(attempt));
  }

  /** What came on the data stream, field by field in its order. */
  take(message: DataResponse): void {
    for (const setup of message.setups) {
      this.#forgetJob(setup.jobId);
      this.#jobs.set(setup.jobId, this.#knownJob(new HeldJob(setup)));
    }
    for (const { jobId, blocks } of message.blocks) {
      for (const block of blocks) this.#jobs.get(jobId)?.held.add(block);
    }
    for (const dispatch of message.dispatches) this.#dispatched(dispatch);
    for (const { jobId, before } of message.forgetBlocks) this.#jobs.get(jobId)?.held.forgetBefore(before);
    for (const id of message.forgetJobIds) this.#forgetJob(id);
  }

  /** Stop an attempt. Its slot is not free before its child is, so its end is still reported, but nothing else. */
  revoke(attempt: number): void {
    const known = this.#attempts.get(attempt);
    if (known === undefined) {
      if (attempt > this.#highestDispatched) this.#revokedAhead.add(attempt);
      return;
    }
    if (known.revoked || known.reported) return;
    known.revoked = true;
    this.#parts.outbox.forget(attempt);
    if (known.chunk !== undefined) this.#pool.abort(known.chunk);
    else this.#report(attempt, returned);
  }

  /** While the coordinator does not answer, nothing new is started: it may have given the work to others. */
  fence(fenced: boolean): void {
    this.#fenced = fenced;
  }

  /** Stops everything and forgets it: nobody waits for it any more. */
  abandon(): void {
    for (const [attempt, { chunk }] of this.#attempts) {
      this.#parts.outbox.forget(attempt);
      if (chunk !== undefined) this.#pool.abort(chunk);
    }
    // Numbers of the next epoch may be the same: nothing of these is ever reported.
    this.#attempts.clear();
    this.#chunks.clear();
    this.#revokedAhead.clear();
    this.#highestDispatched = 0;
    for (const id of [...this.#jobs.keys()]) this.#forgetJob(id);
  }

  /** Takes nothing new; resolves when every attempt is over, and taken by the coordinator. */
  drain(): Promise<void> {
    this.#draining = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#attemptsChanged();
    });
  }

  /** Gives back what still runs: nobody is to blame. */
  giveBack(): void {
    for (const { chunk } of this.#attempts.values()) {
      if (chunk !== undefined) this.#pool.abort(chunk, 0);
    }
  }

  pause(full: boolean): void {
    if (full) this.#pool.pauseResults();
    else this.#pool.resumeResults();
  }

  /** The batch with the attempt's ending was taken. */
  endingTaken(attempt: number): void {
    if (!this.#attempts.get(attempt)?.reported) return;
    this.#attempts.delete(attempt);
    this.#attemptsChanged();
  }

  stats(): AgentStats {
    const { processes, recycled, deaths } = this.#pool.stats();
    const pids = new Set(processes.map(({ pid }) => pid));
    for (const pid of this.#groupOf.keys()) if (!pids.has(pid)) this.#groupOf.delete(pid);
    return {
      processes: processes.map(({ pid, tasksRun, startedAt, rssBytes, state }) => ({
        pid,
        agent: '',
        tasksRun,
        startedUnixMs: startedAt.getTime(),
        rssBytes,
        state: childStates[state],
        groupId: this.#groupOf.get(pid) ?? '',
      })),
      recycled,
      deaths,
    };
  }

  /** Ends every child. */
  async close(): Promise<void> {
    await this.#pool.terminate();
  }

  // -- what the pool reports -----------------------------------------------------------------------------------

  results(id: number, { first, count, bytes, runMs, pid }: ResultRun): void {
    const attempt = this.#wanted(id);
    if (attempt === undefined) return;
    this.#serves(pid, attempt);
    this.#parts.outbox.run(attempt, {
      first,
      count,
      payload: bytes,
      payloadSkip: 0,
      more: false,
      totalBytes: 0,
      runMs,
      pid,
      agent: '',
    });
  }

  itemFailed(id: number, failure: ItemFailureReport): void {
    const attempt = this.#wanted(id);
    if (attempt === undefined) return;
    const { index, code, retryable, error, summary, pid, ms } = failure;
    this.#parts.outbox.failure(attempt, {
      index,
      kind: FailureKind.THROWN,
      code,
      retryable,
      attempt: { agent: '', pid, exitCode: undefined, signal: '', ms },
      error,
      summary,
      stderrTail: '',
      facts: {},
    });
  }

  ended(id: number, ending: ChunkEnding, detail: ChunkEndingDetail): void {
    const attempt = this.#chunks.get(id);
    if (attempt === undefined) return;
    const isWanted = this.#wanted(id) !== undefined;
    this.#chunks.delete(id);
    if (!isWanted) {
      this.#report(attempt, returned);
      return;
    }
    if (ending.kind === 'timedOut') {
      const { index, exit, ms } = ending;
      this.#parts.outbox.failure(attempt, {
        index,
        kind: FailureKind.TIMEOUT,
        code: 'ITEM_TIMED_OUT',
        retryable: true,
        attempt: {
          agent: '',
          pid: exit.pid,
          exitCode: exit.exitCode,
          signal: exit.signal ?? '',
          ms,
        },
        error: new Uint8Array(),
        summary: '',
        stderrTail: detail.stderrTail ?? '',
        facts: {},
      });
    }
    this.#report(attempt, this.#wireEnding(attempt, ending, detail));
  }

  print(id: number | undefined, { stream, pid, index, text, task }: Print): void {
    const attempt = id === undefined ? undefined : this.#chunks.get(id);
    const job = attempt === undefined ? undefined : this.#attempts.get(attempt)?.dispatch.jobId;
    if (job === undefined) return;
    this.#parts.outbox.print(job, {
      stream: stream === 'stderr' ? PrintStream.STDERR : PrintStream.STDOUT,
      agent: '',
      pid,
      index,
      task: task ?? '',
      text,
    });
  }

  /** The attempt of a chunk, as long as somebody wants to hear of it. */
  #wanted(id: number): number | undefined {
    const attempt = this.#chunks.get(id);
    return attempt === undefined || this.#attempts.get(attempt)?.revoked ? undefined : attempt;
  }

  // -- inside --------------------------------------------------------------------------------------------------

  #dispatched(dispatch: Dispatch): void {
    const { attempt, jobId } = dispatch;
    this.#highestDispatched = Math.max(this.#highestDispatched, attempt);
    const running: RunningAttempt = {
      dispatch,
      epoch: this.#epoch,
      chunk: undefined,
      revoked: false,
      reported: false,
    };
    this.#attempts.set(attempt, running);
    const job = this.#jobs.get(jobId);
    const isUnwanted = this.#revokedAhead.delete(attempt) || this.#fenced || this.#draining;
    if (isUnwanted || job === undefined) {
      this.#report(attempt, returned);
    } else if (job.template !== undefined) {
      this.#start(running, job, job.template);
    } else {
      job.ready.then(
        (template) => this.#startIfHeld(running, job, template),
        (error: unknown) => this.#cannotStart(running, error),
      );
    }
  }

  #startIfHeld(running: RunningAttempt, job: KnownJob, template: JobTemplate): void {
    // The bundle took its time: the attempt may have been revoked, or the agent may drain by now.
    if (!this.#awaits(running)) return;
    if (this.#draining) this.#report(running.dispatch.attempt, returned);
    else this.#start(running, job, template);
  }

  #start(running: RunningAttempt, job: KnownJob, template: JobTemplate): void {
    const { dispatch } = running;
    const blocks = job.held.blocksFor(dispatch.first, dispatch.count);
    if (blocks === undefined) {
      const reason = `items ${dispatch.first} to ${dispatch.first + dispatch.count - 1} did not come`;
      this.#cannotStart(running, new ShoalError('INTERNAL', { reason }));
      return;
    }
    this.#chunkIds += 1;
    running.chunk = this.#chunkIds;
    this.#chunks.set(running.chunk, dispatch.attempt);
    try {
      this.#pool.run(chunkRequest(template, running.chunk, dispatch, blocks));
    } catch (error) {
      this.#chunks.delete(running.chunk);
      this.#cannotStart(running, error);
    }
  }

  #cannotStart(running: RunningAttempt, error: unknown): void {
    const { attempt } = running.dispatch;
    if (!this.#awaits(running)) return;
    if (error instanceof ShoalError && !error.retryable) {
      const value = { error: writeCatalogueError(error) };
      this.#report(attempt, { ending: { $case: 'unrunnable', value } });
      return;
    }
    // What may work later, or elsewhere, is no verdict on the job. Given back at once it would be here again at once.
    const giveBack = setTimeout(() => {
      if (this.#awaits(running)) this.#report(attempt, returned);
    }, returnAfterMs);
    giveBack.unref();
  }

  /** Whether an attempt is still ours to start or to give back. */
  #awaits(running: RunningAttempt): boolean {
    return this.#attempts.get(running.dispatch.attempt) === running && !running.reported;
  }

  #report(attempt: number, ended: Ended): void {
    const running = this.#attempts.get(attempt);
    if (running === undefined) return;
    running.reported = true;
    this.#parts.outbox.ended(attempt, ended);
  }

  #wireEnding(attempt: number, ending: ChunkEnding, detail: ChunkEndingDetail): Ended {
    switch (ending.kind) {
      case 'finished':
        return { ending: { $case: 'finished', value: {} } };
      case 'childDied': {
        const { exit, ms, suspects } = ending;
        const death = {
          agent: '',
          pid: exit.pid,
          exitCode: exit.exitCode,
          signal: exit.signal ?? '',
          ms,
        };
        const value = { death, suspects: [...suspects], stderrTail: detail.stderrTail ?? '' };
        return { ending: { $case: 'childDied', value } };
      }
      // The timed-out item was reported; whatever else was in its child goes back free.
      case 'timedOut':
      case 'aborted':
        return returned;
      case 'taskFailed':
      case 'initializerFailed': {
        const error = this.#endingError(attempt, ending.kind, detail);
        return { ending: { $case: 'unrunnable', value: { error } } };
      }
    }
  }

  #endingError(
    attempt: number,
    kind: 'taskFailed' | 'initializerFailed',
    { failure, error }: ChunkEndingDetail,
  ): CatalogueError {
    const reason = error === undefined ? 'unknown' : `${error.name}: ${error.message}`;
    const where = this.#parts.terms.agent;
    const known = failure ?? {
      code: kind === 'taskFailed' ? 'TASK_LOAD_FAILED' : 'INITIALIZER_FAILED',
      facts: { module: 'the task module', where, reason },
    };
    const job = this.#jobs.get(this.#attempts.get(attempt)?.dispatch.jobId ?? '');
    const isV8 = job?.held.setup.options?.encoding === Encoding.V8;
    const thrown =
      error === undefined
        ? new Uint8Array()
        : isV8
          ? serialize(error)
          : Buffer.from(JSON.stringify(error) ?? 'null');
    return writeCatalogueError(errorOf(known.code, known.facts), thrown);
  }

  #knownJob(held: HeldJob): KnownJob {
    const holds: string[] = [];
    const ready = this.#prepare(held, holds);
    const job: KnownJob = { held, template: undefined, ready, holds };
    ready.then(
      (template) => {
        job.template = template;
      },
      // Told to each attempt that waits for it.
      () => {},
    );
    return job;
  }

  async #prepare({ setup }: HeldJob, holds: string[]): Promise<JobTemplate> {
    const paths = new Map<string, string>();
    for (const sha256 of bundlesOf(setup)) {
      paths.set(sha256, await this.#parts.bundles.hold(sha256));
      holds.push(sha256);
    }
    return jobTemplate(setup, paths, this.#parts.terms);
  }

  #forgetJob(id: string): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    this.#jobs.delete(id);
    const release = (): void => {
      for (const sha256 of job.holds) this.#parts.bundles.release(sha256);
    };
    this.#leaving.push({ id, release: () => void job.ready.then(release, release) });
    this.#attemptsChanged();
  }

  /** Whoever waits for the end of attempts is told. */
  #attemptsChanged(): void {
    if (this.#leaving.length > 0) {
      const needed = new Set([...this.#attempts.values()].map(({ dispatch }) => dispatch.jobId));
      for (const { id, release } of this.#leaving) if (!needed.has(id)) release();
      this.#leaving = this.#leaving.filter(({ id }) => needed.has(id));
    }
    if (this.#draining && this.#attempts.size === 0) this.#onIdle();
  }

  /** Children are the pool's; whom they serve shows when they report. */
  #serves(pid: number, attempt: number): void {
    const jobId = this.#attempts.get(attempt)?.dispatch.jobId ?? '';
    const options = this.#jobs.get(jobId)?.held.setup.options;
    this.#groupOf.set(pid, options?.group?.id || jobId);
  }
}

const childStates = {
  starting: ChildState.STARTING,
  idle: ChildState.IDLE,
  busy: ChildState.BUSY,
  retiring: ChildState.RETIRING,
} as const;

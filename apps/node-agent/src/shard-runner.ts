import { ShoalError } from '@shoal/errors';
import {
  type Block,
  ChildPool,
  type ChunkEndingDetail,
  type ChunkListener,
  type ItemFailureReport,
  type Print,
  type ResultRun,
} from '@shoal/pool';
import {
  type AgentStats,
  ChildState,
  type DataResponse,
  type Dispatch,
  type HeldAttempt,
  type JobOptions,
  writeCatalogueError,
} from '@shoal/protocol';
import {
  type Ended,
  returned,
  thrownTry,
  timedOutTry,
  wireEnding,
  wirePrint,
  wireRun,
} from './attempt-report.ts';
import type { BundleCache } from './bundle-cache.ts';
import { type AgentTerms, chunkRequest, groupOfKey, type JobTemplate } from './child-request.ts';
import { HeldJobs } from './held-jobs.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import { StrayPrints } from './stray-prints.ts';

/** How long an attempt that could not be started rests here before others get it. */
const returnAfterMs = 1000;

/** What a {@link ShardRunner} works with. */
export interface ShardRunnerParts {
  readonly processes: number;
  readonly terms: AgentTerms;
  readonly bundles: BundleCache;
  readonly outbox: Outbox;
  readonly log: Log;
}

interface RunningAttempt {
  readonly dispatch: Dispatch;
  /**
   * What it runs on, from the start: other attempts may have finished a part of its items, and the job's blocks be gone,
   * before its bundle is here. Undefined: something of it did not come.
   */
  readonly blocks: readonly Block[] | undefined;
  readonly epoch: number;
  /** Its job's: what runs outlives the session in which the job was told of. */
  readonly options: JobOptions | undefined;
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
 * revoked before its dispatch came is given back without a start.
 */
export class ShardRunner implements ChunkListener {
  readonly #agent: string;
  readonly #outbox: Outbox;
  readonly #pool: ChildPool;
  readonly #jobs: HeldJobs;
  readonly #strays: StrayPrints;
  readonly #attempts = new Map<number, RunningAttempt>();
  /** The attempt of each chunk that the pool has. */
  readonly #chunks = new Map<number, number>();
  /** Revoked before their dispatch came: control may overtake data. */
  readonly #revokedAhead = new Set<number>();
  #highestDispatched = 0;
  #chunkIds = 0;
  #epoch = 0;
  #fenced = false;
  #draining = false;
  #onIdle: () => void = () => {};

  constructor({ processes, terms, bundles, outbox, log }: ShardRunnerParts) {
    this.#agent = terms.agent;
    this.#outbox = outbox;
    this.#jobs = new HeldJobs(bundles, terms);
    this.#strays = new StrayPrints(log);
    this.#pool = new ChildPool({ processes, listener: this });
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
    this.#jobs.forget();
    this.#outbox.reopen((attempt) => this.#attempts.has(attempt));
    this.#attemptsChanged();
  }

  /** What came on the data stream, field by field in its order. */
  take(message: DataResponse): void {
    this.#jobs.learn(message);
    for (const dispatch of message.dispatches) this.#dispatched(dispatch);
    this.#jobs.forgetBlocks(message.forgetBlocks);
    this.#jobs.forget(message.forgetJobIds);
    this.#attemptsChanged();
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
    this.#outbox.forget(attempt);
    if (known.chunk !== undefined) this.#pool.abort(known.chunk);
    else this.#report(attempt, returned);
  }

  /** Nobody can use the children of these groups any more, unless work came meanwhile: data may overtake control. */
  forgetGroups(ids: readonly string[]): void {
    const forgotten = new Set(ids.filter((id) => this.#jobs.newestOf(id) === undefined));
    this.#pool.release((key) => forgotten.has(groupOfKey(key)));
  }

  /** While the coordinator does not answer, nothing new is started: it may have given the work to others. */
  fence(fenced: boolean): void {
    this.#fenced = fenced;
  }

  /** Stops everything and forgets it: nobody waits for it any more. */
  abandon(): void {
    for (const [attempt, { chunk }] of this.#attempts) {
      this.#outbox.forget(attempt);
      if (chunk !== undefined) this.#pool.abort(chunk);
    }
    // Numbers of the next epoch may be the same: nothing of these is ever reported.
    this.#attempts.clear();
    this.#chunks.clear();
    this.#revokedAhead.clear();
    this.#highestDispatched = 0;
    this.#jobs.forget();
    this.#attemptsChanged();
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

  /** The children wait with their results, or go on. */
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
    const { processes, recycled, deaths, tallies } = this.#pool.stats();
    const keys = this.#pool.keys();
    return {
      processes: processes.map(({ pid, tasksRun, startedAt, rssBytes, state }) => ({
        pid,
        agent: '',
        tasksRun,
        startedUnixMs: startedAt.getTime(),
        rssBytes,
        state: childStates[state],
        groupId: groupOfKey(keys.get(pid) ?? ''),
      })),
      recycled,
      deaths,
      // One entry for each key; a group may have several.
      groupLosses: [...tallies].map(([key, tally]) => ({ groupId: groupOfKey(key), ...tally })),
    };
  }

  /** Ends every child. */
  close(): Promise<void> {
    return this.#pool.terminate();
  }

  // -- what the pool reports -----------------------------------------------------------------------------------

  results(id: number, run: ResultRun): void {
    const attempt = this.#wanted(id);
    if (attempt === undefined) return;
    this.#outbox.run(attempt, wireRun(run));
  }

  itemFailed(id: number, failure: ItemFailureReport): void {
    const attempt = this.#wanted(id);
    if (attempt !== undefined) this.#outbox.failure(attempt, thrownTry(failure));
  }

  ended(id: number, ending: Parameters<ChunkListener['ended']>[1], detail: ChunkEndingDetail): void {
    const attempt = this.#chunks.get(id);
    if (attempt === undefined) return;
    const isWanted = this.#wanted(id) !== undefined;
    this.#chunks.delete(id);
    if (!isWanted) {
      this.#report(attempt, returned);
      return;
    }
    const timedOut = timedOutTry(ending, detail);
    if (timedOut !== undefined) this.#outbox.failure(attempt, timedOut);
    const encoding = this.#attempts.get(attempt)?.options?.encoding;
    this.#report(attempt, wireEnding(ending, detail, { agent: this.#agent, encoding }));
  }

  /** A child serves one group: what belongs to no item is shown to the client of whatever job that has here. */
  print(id: number | undefined, print: Print, key: string): void {
    const attempt = id === undefined ? undefined : this.#wanted(id);
    const group = groupOfKey(key);
    const job = attempt === undefined ? this.#jobs.newestOf(group) : this.#jobOf(attempt);
    if (job === undefined) this.#strays.add(group, wirePrint(print));
    else this.#outbox.print(job, wirePrint(print));
  }

  /** The attempt of a chunk, as long as somebody wants to hear of it. */
  #wanted(id: number): number | undefined {
    const attempt = this.#chunks.get(id);
    return attempt === undefined || this.#attempts.get(attempt)?.revoked ? undefined : attempt;
  }

  #jobOf(attempt: number): string {
    return this.#attempts.get(attempt)?.dispatch.jobId ?? '';
  }

  // -- what the coordinator hands over -------------------------------------------------------------------------

  #dispatched(dispatch: Dispatch): void {
    const { attempt, jobId } = dispatch;
    this.#highestDispatched = Math.max(this.#highestDispatched, attempt);
    const job = this.#jobs.get(jobId);
    const running: RunningAttempt = {
      dispatch,
      blocks: job?.held.blocksFor(dispatch.first, dispatch.count),
      epoch: this.#epoch,
      options: job?.held.setup.options,
      chunk: undefined,
      revoked: false,
      reported: false,
    };
    this.#attempts.set(attempt, running);
    const isUnwanted = this.#revokedAhead.delete(attempt) || this.#fenced || this.#draining;
    if (isUnwanted || job === undefined) this.#report(attempt, returned);
    else if (job.template !== undefined) this.#start(running, job.template);
    else {
      job.ready.then(
        (template) => this.#startIfAwaited(running, template),
        (error: unknown) => this.#cannotStart(running, error),
      );
    }
  }

  #startIfAwaited(running: RunningAttempt, template: JobTemplate): void {
    // The bundle took its time: the attempt may have been revoked, or the agent may drain by now.
    if (!this.#awaits(running)) return;
    if (this.#draining) this.#report(running.dispatch.attempt, returned);
    else this.#start(running, template);
  }

  #start(running: RunningAttempt, template: JobTemplate): void {
    const { dispatch, blocks } = running;
    if (blocks === undefined) {
      const reason = `items ${dispatch.first} to ${dispatch.first + dispatch.count - 1} did not come`;
      this.#cannotStart(running, new ShoalError('INTERNAL', { reason }));
      return;
    }
    this.#chunkIds += 1;
    running.chunk = this.#chunkIds;
    this.#chunks.set(running.chunk, dispatch.attempt);
    const strays = this.#strays.take(groupOfKey(template.setup.key));
    for (const print of strays) this.#outbox.print(dispatch.jobId, print);
    try {
      this.#pool.run(chunkRequest(template, running.chunk, dispatch, blocks));
    } catch (error) {
      this.#chunks.delete(running.chunk);
      running.chunk = undefined;
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
    if (running === undefined || running.reported) return;
    running.reported = true;
    this.#outbox.ended(attempt, ended);
  }

  /** Whoever waits for the end of attempts is told. */
  #attemptsChanged(): void {
    this.#jobs.release(() => new Set([...this.#attempts.values()].map(({ dispatch }) => dispatch.jobId)));
    if (this.#draining && this.#attempts.size === 0) this.#onIdle();
  }
}

const childStates = {
  starting: ChildState.STARTING,
  idle: ChildState.IDLE,
  busy: ChildState.BUSY,
  retiring: ChildState.RETIRING,
} as const;

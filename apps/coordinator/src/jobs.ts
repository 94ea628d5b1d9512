import { randomBytes } from 'node:crypto';
import { countText, describe, ShoalError } from '@shoal/errors';
import { type Block, type CreateJobRequest, type ItemFailure, JobInfo, JobState } from '@shoal/protocol';
import type { JobId, JobProgress, PayloadStore, Scheduler } from '@shoal/scheduler';
import type { BundleStore } from './bundle-store.ts';
import type { Driver } from './driver.ts';
import type { EventFeed } from './event-feed.ts';
import { Job, type StoredBlock, type StoredOutcome, type StoredRun } from './job.ts';
import { checkJobRequest, type JobLimits, jobSpec } from './job-request.ts';

/** A block whose parts are together. */
type PushedBlock = Pick<Block, 'first' | 'count' | 'payload'> & Partial<Pick<Block, 'broadcastSha256'>>;

/** What {@link Jobs} works with. */
export interface JobsParts {
  readonly driver: Driver;
  readonly scheduler: Scheduler;
  readonly store: PayloadStore<StoredRun, ItemFailure, StoredBlock>;
  readonly bundles: BundleStore;
  readonly feed: EventFeed;
  readonly limits: JobLimits & { readonly maxJobs: number };
  /** How long a job lives without a client; also how long it is known after its end. */
  readonly graceMs: number;
  /** Where agents reach this coordinator, for the words of an error. */
  readonly address: () => string;
}

/**
 * Every job that clients can ask for: created once a request id, fed, read, acknowledged, cancelled, forgotten.
 *
 * A job is ephemeral: it lives as long as a client holds one of its streams, and 30 s longer.
 */
export class Jobs {
  readonly #parts: JobsParts;
  readonly #byRequest = new Map<string, Job>();
  readonly #aloneTimers = new Map<JobId, NodeJS.Timeout>();
  #closed = false;

  constructor(parts: JobsParts) {
    this.#parts = parts;
  }

  /** Takes no new jobs from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when no job runs any more, after `drainMs`, or when the function given to `hurry` is called. */
  async idle(drainMs: number, hurry: (cut: () => void) => void): Promise<void> {
    const cut = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      hurry(() => {
        clearTimeout(timer);
        resolve();
      });
      const ends = this.active().map((job) => new Promise<void>((ended) => void job.watch(ended)));
      void Promise.all(ends).then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    await cut;
  }

  /** Stops every timer. */
  stop(): void {
    for (const timer of this.#aloneTimers.values()) clearTimeout(timer);
    this.#aloneTimers.clear();
  }

  /** Jobs that are not over. */
  active(): Job[] {
    return [...this.#parts.driver.jobs.values()].filter((job) => job.end === undefined);
  }

  /** All that are known, the newest first. */
  list(): Job[] {
    return [...this.#parts.driver.jobs.values()].reverse();
  }

  /** Creates a job, or finds the one that this request created before. Throws `JOB_EXISTS`, `REQUEST_INVALID`, … */
  create(request: CreateJobRequest): Job {
    const { driver, bundles, feed, limits } = this.#parts;
    if (this.#closed) throw new ShoalError('COORDINATOR_STOPPING');
    const checked = checkJobRequest(request, bundles, limits);
    const known = this.#byRequest.get(checked.requestId);
    if (known !== undefined) {
      if (known.request.fingerprint === checked.fingerprint) return known;
      throw new ShoalError('JOB_EXISTS', { requestId: checked.requestId });
    }
    if (driver.jobs.size >= limits.maxJobs) {
      throw new ShoalError('LIMIT_REACHED', {
        what: 'Jobs known at once',
        value: driver.jobs.size + 1,
        limit: limits.maxJobs,
        option: 'shoal coordinator --max-jobs',
      });
    }
    const id = `job-${randomBytes(6).toString('hex')}`;
    const job = new Job(id, checked, (each, alone) => this.#aloneChanged(each, alone));
    driver.jobs.set(id, job);
    if (checked.requestId !== '') this.#byRequest.set(checked.requestId, job);
    for (const sha256 of checked.bundles) bundles.pin(sha256);
    this.#aloneChanged(job, true);
    feed.tell(
      'job.created',
      { job: id, task: checked.task.name },
      `job ${id} maps ${checked.task.name} over its items`,
    );
    driver.step({ type: 'jobCreated', job: id, spec: jobSpec(checked, id, driver.now()) });
    return job;
  }

  /** Throws `JOB_NOT_FOUND`. */
  get(id: JobId): Job {
    const job = this.#parts.driver.jobs.get(id);
    if (job === undefined) throw new ShoalError('JOB_NOT_FOUND', { job: id });
    return job;
  }

  /**
   * Takes the next block in. Throws `REQUEST_INVALID` for a gap, or for a job that takes no more, and `BUNDLE_NOT_FOUND`
   * for a constant that is not here.
   */
  push(job: Job, block: PushedBlock): void {
    if (job.end !== undefined) return;
    if (job.inputEnded) {
      throw new ShoalError('REQUEST_INVALID', { field: 'block', reason: 'comes after the end of the input' });
    }
    if (block.first !== job.pushed || block.count < 1) {
      const reason = `begins at ${block.first} with ${block.count} items; the next item is ${job.pushed}`;
      throw new ShoalError('REQUEST_INVALID', { field: 'block', reason });
    }
    const { first, count, payload: bytes, broadcastSha256: broadcasts = [] } = block;
    for (const sha256 of broadcasts) this.#keepConstant(job, sha256);
    job.pushed += count;
    this.#parts.store.addBlock(job.id, { first, count, bytes, broadcasts });
    this.#parts.driver.step({ type: 'itemsPushed', job: job.id, count, bytes: bytes.byteLength });
  }

  /** What an item of a job refers to stays as long as the job does. */
  #keepConstant(job: Job, sha256: string): void {
    if (job.constants.has(sha256)) return;
    this.#parts.bundles.pin(sha256);
    job.constants.add(sha256);
  }

  endInput(job: Job): void {
    if (job.inputEnded || job.end !== undefined) return;
    job.inputEnded = true;
    this.#parts.driver.step({ type: 'inputEnded', job: job.id });
  }

  /** The client has the first `position` outcomes. */
  acknowledge(job: Job, position: number): void {
    if (position > job.delivered) {
      throw new ShoalError('REQUEST_INVALID', {
        field: 'position',
        reason: `${position} outcomes cannot be acknowledged: ${job.delivered} were delivered`,
      });
    }
    if (position <= job.acknowledged) return;
    job.acknowledged = position;
    // The scheduler forgets a job at its end; what the client had not taken by then is still here.
    if (job.end !== undefined) this.#parts.store.releaseResults(job.id, position);
    else this.#parts.driver.step({ type: 'resultsAcknowledged', job: job.id, position });
  }

  /** Outcomes from a position on, for a reader that comes (back). Throws `RESULT_ACKNOWLEDGED`. */
  outcomesFrom(job: Job, position: number): StoredOutcome[] {
    if (position < job.acknowledged) {
      throw new ShoalError('RESULT_ACKNOWLEDGED', { cursor: job.acknowledged, index: position });
    }
    return this.#parts.store.outcomesFrom(job.id, position);
  }

  cancel(job: Job, reason: string): void {
    if (job.end === undefined) this.#parts.driver.step({ type: 'cancelRequested', job: job.id, reason });
  }

  /** What is known of a job. */
  info(job: Job): JobInfo {
    const progress = this.#parts.scheduler.progress(job.id, this.#parts.driver.now());
    return JobInfo.fromPartial({
      jobId: job.id,
      requestId: job.request.requestId,
      task: job.request.task.name,
      state: job.end?.state ?? JobState.ACTIVE,
      progress: {
        succeeded: job.succeeded,
        failed: job.failed,
        running: progress?.running ?? 0,
        queued: progress?.queued ?? 0,
        retried: progress?.retried ?? 0,
        speculated: (progress ?? job.speculation)?.speculated ?? 0,
        speculationWins: (progress ?? job.speculation)?.speculationWins ?? 0,
        waitingFor: this.#waitingFor(progress),
      },
      totalItems: job.inputEnded ? job.pushed : job.request.options.totalItems,
      acceptedItems: job.pushed,
      inputEnded: job.inputEnded,
      delivered: job.delivered,
      acknowledged: job.acknowledged,
      createdUnixMs: job.createdUnixMs,
      endedUnixMs: job.endedUnixMs,
      error: job.end?.error,
    });
  }

  /** Why nothing of a job runs. Without agents nobody else would say so, and what to do about it. */
  #waitingFor(progress: JobProgress | undefined): string {
    if (progress?.waitingReason !== 'noAgents') return progress?.waitingFor ?? '';
    const address = this.#parts.address();
    return describe('NO_AGENTS', { items: countText(progress.queued), address });
  }

  #aloneChanged(job: Job, alone: boolean): void {
    clearTimeout(this.#aloneTimers.get(job.id));
    this.#aloneTimers.delete(job.id);
    if (!alone || !this.#parts.driver.jobs.has(job.id)) return;
    const timer = setTimeout(() => this.#abandoned(job), this.#parts.graceMs);
    timer.unref();
    this.#aloneTimers.set(job.id, timer);
  }

  /** No client for so long: a running job ends, and one that has ended is forgotten. */
  #abandoned(job: Job): void {
    this.cancel(job, `no client was connected to it for ${this.#parts.graceMs / 1000} s`);
    if (job.end !== undefined) this.forget(job);
    else this.#aloneChanged(job, true);
  }

  /** Drops all that is kept of a job that is over. */
  forget(job: Job): void {
    const { driver, store, bundles } = this.#parts;
    if (!driver.jobs.delete(job.id)) return;
    clearTimeout(this.#aloneTimers.get(job.id));
    this.#aloneTimers.delete(job.id);
    if (this.#byRequest.get(job.request.requestId) === job) this.#byRequest.delete(job.request.requestId);
    for (const sha256 of [...job.request.bundles, ...job.constants]) bundles.unpin(sha256);
    store.forgetJob(job.id);
  }
}

import { randomBytes } from 'node:crypto';
import { bytesText, countedText, ShoalError } from '@shoal/errors';
import {
  type CreateJobRequest,
  JobInfo,
  JobState,
  type ListJobsRequest,
  type ListJobsResponse,
} from '@shoal/protocol';
import type { JobId, PayloadStore } from '@shoal/scheduler';
import type { BundleStore } from '../bundles/bundle-store.ts';
import type { CallId, HoldingLimit } from '../core/index.ts';
import type { Driver, Happening } from '../driver.ts';
import type { StoredBlock, StoredFailure, StoredRun } from '../payloads/payload.ts';
import { pageOf } from '../watch/page.ts';
import type { Question } from './client-calls.ts';
import type { Job, StoredOutcome } from './job.ts';
import { checkJobRequest, type JobLimits, jobSpec } from './job-request.ts';
import { waitingWords } from './waiting-words.ts';

/** How often a drain looks whether anybody is left to wait for. */
const lookMs = 1_000;

/** What {@link Jobs} works with. */
export interface JobsParts {
  readonly driver: Driver;
  readonly store: PayloadStore<StoredRun, StoredFailure, StoredBlock>;
  readonly bundles: BundleStore;
  readonly limits: JobLimits;
  /** Where agents reach this coordinator, for the words of an error. */
  readonly address: () => string;
  /** The room for items and results is tight. */
  readonly isTight: () => boolean;
  /** Bytes of that room. */
  readonly maxPayloadBytes: number;
}

/** An event of a call, before it has its number. */
type Asked<E = Happening> = E extends { readonly call: CallId } ? Omit<E, 'call'> : never;

/** Every job that clients can ask for: what they ask goes to the core, what they are shown is put together here. */
export class Jobs {
  readonly #parts: JobsParts;

  constructor(parts: JobsParts) {
    this.#parts = parts;
  }

  /** Takes no new jobs from now on. */
  close(): void {
    this.#parts.driver.step({ type: 'stopRequested' });
  }

  /** Ends what runs. */
  hurry(): void {
    this.#parts.driver.step({ type: 'stopHurried' });
  }

  /**
   * Resolves when no job runs any more, or no agent and no client is left, after `drainMs`, or when the function given to
   * `hurry` is called.
   */
  async idle(drainMs: number, hurry: (cut: () => void) => void): Promise<void> {
    const cut = new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        clearInterval(looks);
        resolve();
      };
      const timer = setTimeout(done, drainMs);
      // Not at once: a client that was told of its job this moment has yet to open its streams.
      const looks = setInterval(() => {
        if (!this.#parts.driver.machine.isAwaited()) done();
      }, lookMs);
      hurry(done);
      const ends = this.active().map((job) => new Promise<void>((ended) => void job.watch(ended)));
      void Promise.all(ends).then(done);
    });
    await cut;
  }

  /** Jobs that are not over. */
  active(): Job[] {
    return [...this.#parts.driver.jobs.values()].filter((job) => job.end === undefined);
  }

  /** All that are known, the newest first. */
  list(): Job[] {
    return [...this.#parts.driver.jobs.values()].reverse();
  }

  /**
   * The same in pages of about `bytesMax`: of those that were created before the last of the page before. Throws `REQUEST_INVALID` for a
   * token that is none.
   */
  page({ pageToken }: ListJobsRequest, bytesMax: number): ListJobsResponse {
    if (!/^\d{0,15}$/.test(pageToken)) {
      throw new ShoalError('REQUEST_INVALID', { field: 'page_token', reason: 'is none that an answer had' });
    }
    const before = pageToken === '' ? Number.POSITIVE_INFINITY : Number(pageToken);
    const rest = this.list().filter(({ number }) => number < before);
    const bytesOf = (info: JobInfo): number => JobInfo.encode(info).finish().byteLength;
    const { hasMore, items } = pageOf(this.#infos(rest), bytesOf, bytesMax);
    return {
      jobs: [...items],
      nextPageToken: hasMore ? String((rest[items.length - 1] as Job).number) : '',
    };
  }

  *#infos(jobs: readonly Job[]): Generator<JobInfo> {
    for (const job of jobs) yield this.info(job);
  }

  /**
   * Creates a job, or finds the one that this request created before; answers with its id. Throws `REQUEST_INVALID`
   * where the request itself is wrong.
   */
  create(request: CreateJobRequest, question: Question): void {
    const { bundles, driver, limits } = this.#parts;
    const checked = checkJobRequest(request, bundles, limits);
    const { bytes, fingerprint, requestId } = checked;
    const job = `job-${randomBytes(6).toString('hex')}`;
    const spec = jobSpec(checked, job, driver.now());
    const call = driver.calls.question(question);
    driver.step(
      { type: 'jobRequested', call, job, requestId, fingerprint, bytes, spec },
      { request: checked },
    );
  }

  /** Has the core answer a call. */
  ask(event: Asked, question: Question): void {
    const { driver } = this.#parts;
    driver.step({ ...event, call: driver.calls.question(question) } as Happening);
  }

  /** Throws `JOB_NOT_FOUND`. */
  get(id: JobId): Job {
    const job = this.#parts.driver.jobs.get(id);
    if (job === undefined) throw new ShoalError('JOB_NOT_FOUND', { job: id });
    return job;
  }

  /** The outcome at a position in the order of delivery, while it is kept. */
  outcomeAt(job: Job, position: number): StoredOutcome | undefined {
    return this.#parts.store.outcomeAt(job.id, position);
  }

  /** What is known of a job. */
  info(job: Job): JobInfo {
    const { end, view } = job;
    const { driver } = this.#parts;
    const progress = driver.machine.progress(job.id, driver.now());
    return JobInfo.fromPartial({
      jobId: job.id,
      requestId: job.request.requestId,
      task: job.request.task.name,
      state: end?.state ?? JobState.ACTIVE,
      progress: {
        succeeded: view.succeeded,
        failed: view.failed,
        running: progress?.running ?? 0,
        queued: progress?.queued ?? 0,
        retried: job.retried,
        speculated: (progress ?? job.speculation)?.speculated ?? 0,
        speculationWins: (progress ?? job.speculation)?.speculationWins ?? 0,
        waitingFor: waitingWords(job, progress ?? {}, {
          address: this.#parts.address(),
          isTight: this.#parts.isTight(),
        }),
        heldBy: this.#heldBy(job),
      },
      totalItems: view.inputEnded ? view.pushed : job.request.options.totalItems,
      acceptedItems: view.pushed,
      inputEnded: view.inputEnded,
      delivered: view.delivered,
      acknowledged: view.acknowledged,
      createdUnixMs: job.createdUnixMs,
      endedUnixMs: job.endedUnixMs,
      error: end?.error,
    });
  }

  /** Jobs whose producer may send nothing now, by the limit that holds it. */
  held(): Partial<Record<HoldingLimit, number>> {
    const held: Partial<Record<HoldingLimit, number>> = {};
    for (const { id } of this.active()) {
      const limit = this.#parts.driver.machine.heldBy(id);
      if (limit !== undefined) held[limit] = (held[limit] ?? 0) + 1;
    }
    return held;
  }

  /** `windowBytes (32 MiB)`: what holds the producer of a job, and how much that is; empty where nothing does. */
  #heldBy({ id, request }: Job): string {
    const limit = this.#parts.driver.machine.heldBy(id);
    switch (limit) {
      case undefined:
        return '';
      case 'windowItems':
        return `${limit} (${countedText(request.options.windowItems, 'item')})`;
      case 'windowBytes':
        return `${limit} (${bytesText(request.windowBytes)})`;
      case 'payloadBytes':
        return `${limit} (${bytesText(this.#parts.maxPayloadBytes)})`;
      default:
        return limit satisfies never;
    }
  }
}

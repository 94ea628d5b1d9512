import { durationText, JobCancelledError, ShoalError, TimeoutError } from '@shoal/errors';
import { checkWaitOptions } from '../options/option-table.ts';
import type { MapProgress } from '../options/options.ts';
import { CallSite } from './call-site.ts';
import type { GivenPromises } from './given-promises.ts';
import type { JobEventName, JobListener, JobListeners } from './job-events.ts';
import type { JobRun } from './job-run.ts';

/** Options of a wait for a job. */
export interface WaitOptions {
  /** Reject with a `TimeoutError` after this many milliseconds; the job goes on. Default: wait without limit. 0 to 2,147,483,647. */
  readonly timeoutMs?: number | undefined;
}

/** A job that was started by `submit`: Python's `AsyncResult`. */
export interface Job<R> {
  /**
   * The job's id; empty until the pool has begun with it, on a cluster until the coordinator has taken it. Whoever needs it
   * looks with each `progress` event whether it is there, or names the job beforehand by the option `requestId`.
   */
  readonly id: string;
  /** Whether it has ended, well or not. */
  readonly ready: boolean;
  /** Whether it ended with a result for every item. Throws code `JOB_NOT_READY` before it has ended. */
  readonly successful: boolean;
  /** Where it stands. */
  readonly progress: MapProgress;
  /** Its results, in the order of the items; rejects as `map` does. May be asked for any number of times. */
  result(options?: WaitOptions): Promise<R[]>;
  /**
   * Waits until it has ended, well or not. Unlike Python's `wait`, rejects with a `TimeoutError` when `timeoutMs` is over
   * before that; the job goes on.
   */
  wait(options?: WaitOptions): Promise<void>;
  /** Ends it: `result()` rejects with a `JobCancelledError`. Does nothing once it has ended. */
  cancel(): void;
  /**
   * Calls `listener` at each event: `progress` (where it stands), `succeeded` (with the results), `failed` (with what
   * `result()` rejects with). Returns the job.
   *
   * A listener that comes after its event is not called: ask `result()`. What a listener throws is reported as a process
   * warning and harms nothing. Throws a RangeError for an event that there is not.
   */
  on<E extends JobEventName>(event: E, listener: JobListener<R, E>): Job<R>;
  /** Takes a listener off again. */
  off<E extends JobEventName>(event: E, listener: JobListener<R, E>): Job<R>;
}

/** What a handle is made of. The run is missing while the function is looked at, and where it was refused. */
export interface JobParts {
  readonly outcome: Promise<unknown[]>;
  /** Those of its pool. */
  readonly given: GivenPromises;
  readonly progress: { readonly now: MapProgress };
  /** Where `submit` was called. */
  readonly site: CallSite;
  readonly listeners: JobListeners;
  readonly run: () => JobRun | undefined;
  /** Ends a job that has not begun yet. */
  readonly refuse: (error: unknown) => void;
}

/** The handle that `submit` returns. */
export class JobHandle implements Job<unknown> {
  readonly #parts: JobParts;
  #state: 'pending' | 'successful' | 'failed' = 'pending';

  constructor(parts: JobParts) {
    this.#parts = parts;
    parts.outcome.then(
      (results) => {
        this.#state = 'successful';
        parts.listeners.tell('succeeded', results);
      },
      (error: unknown) => {
        this.#state = 'failed';
        parts.listeners.tell('failed', error);
      },
    );
  }

  get id(): string {
    return this.#parts.run()?.id ?? '';
  }

  get ready(): boolean {
    return this.#state !== 'pending';
  }

  get successful(): boolean {
    if (this.#state === 'pending') throw new ShoalError('JOB_NOT_READY');
    return this.#state === 'successful';
  }

  get progress(): MapProgress {
    return this.#parts.progress.now;
  }

  result(options?: WaitOptions): Promise<unknown[]> {
    const wait = async (): Promise<unknown[]> => {
      const { timeoutMs } = checkWaitOptions('result', options);
      return withTimeout(this.#parts.outcome, timeoutMs, JobHandle.prototype.result);
    };
    return this.#parts.given.give(wait());
  }

  wait(options?: WaitOptions): Promise<void> {
    const wait = async (): Promise<void> => {
      const { timeoutMs } = checkWaitOptions('wait', options);
      const ended = this.#parts.outcome.then(
        () => {},
        () => {},
      );
      return withTimeout(ended, timeoutMs, JobHandle.prototype.wait);
    };
    return this.#parts.given.give(wait());
  }

  on<E extends JobEventName>(event: E, listener: JobListener<unknown, E>): this {
    this.#parts.listeners.add(event, listener);
    return this;
  }

  off<E extends JobEventName>(event: E, listener: JobListener<unknown, E>): this {
    this.#parts.listeners.delete(event, listener);
    return this;
  }

  cancel(): void {
    const error = this.#parts.site.of(new JobCancelledError());
    const run = this.#parts.run();
    if (run === undefined) this.#parts.refuse(error);
    else run.abort(error, 'cancel() was called');
  }
}

function withTimeout<T>(
  promise: Promise<T>,
  timeoutMs: number | undefined,
  method: (options?: WaitOptions) => unknown,
): Promise<T> {
  if (timeoutMs === undefined) return promise;
  const site = new CallSite(method);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(site.of(new TimeoutError({ what: 'The job', limit: durationText(timeoutMs) }))),
      timeoutMs,
    );
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

import { JobCancelledError, pastDeadline, timerMsMax } from '@shoal/errors';

/** The deadline of a job as its user counts it: connecting is part of the time. */
export class JobDeadline {
  readonly #limitMs: number | undefined;
  readonly #now: () => number;
  readonly #startedAtMs: number;

  /** Counts from here. */
  constructor(limitMs: number | undefined, now: () => number = () => performance.now()) {
    this.#limitMs = limitMs;
    this.#now = now;
    this.#startedAtMs = now();
  }

  /** What is left of it, 1 ms at least; undefined where there is none. */
  get leftMs(): number | undefined {
    if (this.#limitMs === undefined) return undefined;
    return Math.max(1, Math.ceil(this.#startedAtMs + this.#limitMs - this.#now()));
  }

  /** Calls `late` with what the user is told when it has passed, unless `work` is done by then. */
  async during<T>(work: Promise<T>, late: (error: Error) => void): Promise<T> {
    using _alarm = this.alarm(late);
    return await work;
  }

  /** Calls `late` with what the user is told when it has passed, unless this is disposed of by then. */
  alarm(late: (error: Error) => void): Disposable {
    const timer = this.#timer(late);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  }

  /** Calls `late` when it has passed, should the process still be there. */
  alarmAside(late: (error: Error) => void): void {
    this.#timer(late)?.unref();
  }

  #timer(late: (error: Error) => void): NodeJS.Timeout | undefined {
    const { leftMs } = this;
    // No command runs as long as that.
    if (leftMs === undefined || leftMs > timerMsMax) return undefined;
    return setTimeout(() => late(this.error), leftMs);
  }

  /** What an error is for the user: the pool has counted what connecting had left of the time. */
  told(error: unknown): unknown {
    if (!(error instanceof JobCancelledError) || error.code !== 'JOB_DEADLINE') return error;
    const { waitingFor } = error.facts;
    return pastDeadline(this.#limitMs ?? 0, waitingFor === undefined ? undefined : String(waitingFor));
  }

  get error(): JobCancelledError {
    return pastDeadline(this.#limitMs ?? 0);
  }
}

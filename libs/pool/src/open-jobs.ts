/** The jobs of a pool on this machine that have not ended, and what their callers hear of where they stand. */
import type { JobProgress } from '@shoal/scheduler';
import type { BackendProgress, JobRequest, JobSink } from './job-backend.ts';

const untold: BackendProgress = {
  done: 0,
  failed: 0,
  running: 0,
  retried: 0,
  speculated: 0,
  speculationWins: 0,
};
// How often a job says where it stands.
const progressMs = 50;
// Where nothing happens nothing is said: a job that waits says why, so often.
const waitingMs = 250;

/** One job. */
export class OpenJob {
  readonly request: JobRequest;
  readonly sink: JobSink;
  /** Why no item of it can run; the scheduler only knows that it is so. */
  unrunnable: Error | undefined;
  readonly #progressAt: (nowMs: number) => JobProgress | undefined;
  #toldAtMs = 0;
  #told: BackendProgress | undefined;

  constructor(request: JobRequest, sink: JobSink, progressAt: (nowMs: number) => JobProgress | undefined) {
    this.request = request;
    this.sink = sink;
    this.#progressAt = progressAt;
  }

  /** Says where it stands, unless that was said just now. */
  sayProgress(): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < progressMs) return;
    this.#toldAtMs = nowMs;
    const progress = this.#progressAt(nowMs);
    if (progress === undefined) return;
    const { succeeded, failed, running, retried, speculated, speculationWins, waitingFor } = progress;
    const waiting = waitingFor === undefined ? {} : { waitingFor };
    this.#told = { done: succeeded, failed, running, retried, speculated, speculationWins, ...waiting };
    this.sink.progress(this.#told);
  }

  /** What was told last may be of a while ago; there is no next time. */
  sayLast(news: Partial<BackendProgress>): void {
    this.sink.progress({ ...(this.#told ?? untold), running: 0, ...news });
  }
}

/** All of them, by id. */
export class OpenJobs {
  readonly #progressOf: (id: string, nowMs: number) => JobProgress | undefined;
  readonly #jobs: Map<string, OpenJob> = new Map();
  #waiting: NodeJS.Timeout | undefined;
  #whenNone: (() => void) | undefined;

  /** `progressOf` is asked where a job stands; undefined: it has ended, or was not created yet. */
  constructor(progressOf: (id: string, nowMs: number) => JobProgress | undefined) {
    this.#progressOf = progressOf;
  }

  get size(): number {
    return this.#jobs.size;
  }

  get ids(): Iterable<string> {
    return this.#jobs.keys();
  }

  has(id: string): boolean {
    return this.#jobs.has(id);
  }

  get(id: string): OpenJob | undefined {
    return this.#jobs.get(id);
  }

  open(id: string, request: JobRequest, sink: JobSink): void {
    this.#waiting ??= setInterval(() => this.#sayWaiting(), waitingMs).unref();
    this.#jobs.set(id, new OpenJob(request, sink, (nowMs) => this.#progressOf(id, nowMs)));
  }

  end(id: string, error: Error | undefined): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    this.#jobs.delete(id);
    job.sink.ended(error);
    // Whoever hears of it may have opened another one.
    if (this.#jobs.size === 0) this.#noneLeft();
  }

  endAll(error: Error): void {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const { sink } of jobs) sink.ended(error);
    this.#noneLeft();
  }

  /** There are some: resolves when the last of them has ended. */
  none(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenNone = resolve;
    });
  }

  #noneLeft(): void {
    clearInterval(this.#waiting);
    this.#waiting = undefined;
    this.#whenNone?.();
  }

  #sayWaiting(): void {
    for (const job of this.#jobs.values()) job.sayProgress();
  }
}

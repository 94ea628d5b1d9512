import type { TaskMessage } from './message.ts';
import { type RetryFilter, retryFilter } from './retry-filter.ts';
import { loadTask, type TaskFunction, TaskUnloadable } from './task-loader.ts';

/** A function that parts refer to. Loading begins when it is announced, so that a spare child is warm when it is needed. */
export class Task {
  readonly spec: TaskMessage;
  /** Undefined while it loads, and where it could not be loaded. */
  run: TaskFunction | undefined;
  unloadable: TaskUnloadable | undefined;
  /** Returns promises: known from its kind, or from what it has returned. */
  isAsync = false;
  /** When its first item started here. */
  beganAtMs: number | undefined;
  readonly isRetryable: RetryFilter;
  readonly #loaded: Promise<void>;

  constructor(spec: TaskMessage) {
    this.spec = spec;
    this.isRetryable = retryFilter(spec.retryOn);
    this.#loaded = this.#load();
  }

  get isLoaded(): boolean {
    return this.run !== undefined || this.unloadable !== undefined;
  }

  whenLoaded(then: () => void): void {
    void this.#loaded.then(then);
  }

  async #load(): Promise<void> {
    try {
      const run = await loadTask(this.spec.ref);
      this.isAsync = Object.prototype.toString.call(run) === '[object AsyncFunction]';
      this.run = run;
    } catch (error) {
      if (!(error instanceof TaskUnloadable)) throw error;
      this.unloadable = error;
    }
  }
}

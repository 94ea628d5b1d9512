import type { MapProgress } from '../options/options.ts';
import { callUser } from './user-callback.ts';

/** What a job tells its listeners, by event: the arguments that each is called with. */
export interface JobEvents<R> {
  /** Where it stands: at most ten times a second, and once at its end. */
  readonly progress: readonly [progress: MapProgress];
  /** It ended with a result for every item. */
  readonly succeeded: readonly [results: R[]];
  /** It ended without: what `result()` rejects with. */
  readonly failed: readonly [error: unknown];
}

/** The events of a job. */
export type JobEventName = keyof JobEvents<unknown>;

/** What is called when an event of a job happens. What it throws is reported as a process warning. */
export type JobListener<R, E extends JobEventName> = (...args: JobEvents<R>[E]) => void;

/** The listeners of one job. What one of them throws is reported, and the others hear of the event all the same. */
export class JobListeners {
  readonly #listeners: { readonly [E in JobEventName]: Set<JobListener<unknown, E>> } = {
    progress: new Set(),
    succeeded: new Set(),
    failed: new Set(),
  };

  /** Throws a RangeError for an event that there is not, a TypeError for a listener that is no function. */
  add<E extends JobEventName>(event: E, listener: JobListener<unknown, E>): void {
    const listeners = this.#of(event);
    if (typeof listener !== 'function')
      throw new TypeError(`A listener is a function, not ${typeof listener}.`);
    listeners.add(listener);
  }

  delete<E extends JobEventName>(event: E, listener: JobListener<unknown, E>): void {
    this.#of(event).delete(listener);
  }

  tell<E extends JobEventName>(event: E, ...args: JobEvents<unknown>[E]): void {
    // A copy: a listener may take itself off the list.
    for (const listener of [...this.#of(event)])
      callUser(`A listener of '${event}'`, () => listener(...args));
  }

  #of<E extends JobEventName>(event: E): Set<JobListener<unknown, E>> {
    if (!Object.hasOwn(this.#listeners, event)) {
      const names = Object.keys(this.#listeners).join(', ');
      throw new RangeError(`A job has no event "${String(event)}". There are: ${names}.`);
    }
    return this.#listeners[event];
  }
}

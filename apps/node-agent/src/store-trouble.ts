import { performance } from 'node:perf_hooks';
import type { ShoalError } from '@shoal/errors';
import type { Log } from './log.ts';

/** Work that needs a bundle is tried again every second or so; without a failure for so long nobody waits for room. */
const currentMs = 30_000;
/** How often the same trouble is logged. */
const logEveryMs = 60_000;

/** Whether bundles can be stored, for the log and for whoever looks at the cluster. */
export class StoreTrouble {
  readonly #log: Log;
  readonly #now: () => number;
  #error: ShoalError | undefined;
  #sinceMs = 0;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** A bundle could not be stored, or, without an error, one could. */
  stored(error?: ShoalError): void {
    const nowMs = this.#now();
    if (error === undefined) {
      if (this.#error !== undefined)
        this.#log.info({ event: 'agent.bundleStoredAgain' }, 'bundles can be stored again');
      this.#error = undefined;
      this.#loggedMs = Number.NEGATIVE_INFINITY;
      return;
    }
    this.#error = error;
    this.#sinceMs = nowMs;
    if (nowMs - this.#loggedMs < logEveryMs) return;
    this.#loggedMs = nowMs;
    this.#log.warn({ event: 'agent.bundleNotStored', code: error.code, ...error.facts }, error.message);
  }

  /** What keeps the agent from some of its work now, a sentence each. */
  current(): string[] {
    const isCurrent = this.#error !== undefined && this.#now() - this.#sinceMs < currentMs;
    return isCurrent && this.#error !== undefined ? [this.#error.message] : [];
  }
}

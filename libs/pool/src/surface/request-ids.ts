import { isDeepStrictEqual } from 'node:util';
import { ShoalError } from '@shoal/errors';
import type { JobRequest } from '../job-backend.ts';
import type { PreparedJob } from './job-opener.ts';
import type { JobEnd } from './job-run.ts';

/** How long an id is known after its job has ended, as long as a coordinator knows the job at least. */
const knownAfterEndMs = 60_000;

interface Known<J> {
  readonly prepared: PreparedJob;
  readonly job: J;
}

/**
 * Jobs by the request id that their caller gave them, so that a call which is made again finds the job that it made
 * before. An id is known in its pool, while its job runs and a minute longer.
 */
export class RequestIds<J> {
  readonly #known: Map<string, Known<J>> = new Map();

  /**
   * The job of this request id, which `start` starts if there is none yet. Without an id each call has its own.
   * Throws code `JOB_EXISTS` where the id was given to something else, or to a stream: that has one reader.
   */
  once(prepared: PreparedJob, start: () => J): J {
    const { requestId } = prepared.request;
    if (requestId === undefined) return start();
    const known = this.#known.get(requestId);
    if (known === undefined) {
      const job = start();
      this.#known.set(requestId, { prepared, job });
      return job;
    }
    if (!isSameCall(known.prepared, prepared)) throw new ShoalError('JOB_EXISTS', { requestId });
    return known.job;
  }

  /** The job has ended; without `end` nobody cares how. */
  ended({ requestId }: JobRequest, end: JobEnd | undefined): void {
    if (requestId === undefined) return;
    const wasLost = end?.kind === 'stopped' && end.error instanceof ShoalError && end.error.retryable;
    // The call is made again because the coordinator was out of reach: it is to be asked again.
    if (wasLost) this.#known.delete(requestId);
    else setTimeout(() => this.#known.delete(requestId), knownAfterEndMs).unref();
  }
}

/** Inputs that can be read only once are not compared: they are the same where they are the same object. */
function isSameCall(one: PreparedJob, other: PreparedJob): boolean {
  const { method, items } = one.call;
  if (method !== other.call.method || method.kind === 'stream') return false;
  if (!isDeepStrictEqual(one.request, other.request)) return false;
  return items === other.call.items || (Array.isArray(items) && isDeepStrictEqual(items, other.call.items));
}

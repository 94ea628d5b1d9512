import type { ErrorCode, ShoalError } from '@shoal/errors';
import type { FailedCall } from '@shoal/protocol';
import type { EventFeed } from './event-feed.ts';

const tellEveryMs = 1_000;

/** Codes of what a caller sent, and of faults of ours: counters from the start on, for one that appears when it is 1 shows no increase. */
export const countedCodes: readonly string[] = [
  'AGENT_LIED',
  'BUNDLE_CORRUPT',
  'ENCODING_NOT_ACCEPTED',
  'INTERNAL',
  'ITEMS_OUT_OF_STEP',
  'ITEM_TOO_LARGE',
  'LIMIT_REACHED',
  'REQUEST_INVALID',
  'RESULT_TOO_LARGE',
  'UNIMPLEMENTED',
  'UNKNOWN',
  'VERSION_MISMATCH',
] satisfies readonly (ErrorCode | 'UNIMPLEMENTED' | 'UNKNOWN')[];

/** Nothing that a caller sends may cause them: a bug of ours. What grpc-js makes of an exception is `UNKNOWN`. */
const faults: readonly string[] = ['INTERNAL', 'UNKNOWN'];
/** The gate tells of them by itself. */
const told: readonly string[] = ['PERMISSION_DENIED', 'TOO_MANY_TRIES', 'UNAUTHENTICATED'];

/** How often calls ended with one code. */
interface Failures {
  times: number;
  told: number;
  toldAtMs: number;
}

/**
 * Why calls end with an error: counted by code, told to the log once a second and code at most, and remembered until the
 * service of the call has heard that it is over, which gRPC calls "cancelled" and nothing more.
 */
export class FailedCalls {
  readonly #feed: EventFeed;
  readonly #now: () => number;
  readonly #failures = new Map<string, Failures>();
  readonly #reasons = new WeakMap<object, ShoalError>();

  constructor(feed: EventFeed, now: () => number) {
    this.#feed = feed;
    this.#now = now;
  }

  failed({ code, error, metadata, path, peer }: FailedCall): void {
    if (metadata !== undefined) this.#reasons.set(metadata, error);
    let failures = this.#failures.get(code);
    if (failures === undefined) {
      failures = { times: 0, told: 0, toldAtMs: Number.NEGATIVE_INFINITY };
      this.#failures.set(code, failures);
    }
    failures.times += 1;
    // A limit is told of with its name (limit-counts.ts); the other codes say that something is not there, or not now.
    if (!countedCodes.includes(code) || told.includes(code) || error.facts['limitName'] !== undefined) return;
    const nowMs = this.#now();
    if (nowMs - failures.toldAtMs < tellEveryMs) return;
    const times = failures.times - failures.told;
    failures.told = failures.times;
    failures.toldAtMs = nowMs;
    const level = faults.includes(code) ? 'error' : 'warn';
    this.#feed.tell(
      'call.failed',
      { code, path, peer, times },
      `${path} of ${peer}: ${error.message}`,
      level,
    );
  }

  /** Why a call has ended that its service was handed; undefined where its caller has left or was cut off. */
  reasonOf({ metadata }: { readonly metadata: object }): ShoalError | undefined {
    return this.#reasons.get(metadata);
  }

  /** By code; those that never came are left out. */
  all(): Record<string, number> {
    return Object.fromEntries([...this.#failures].map(([code, { times }]) => [code, times]));
  }
}

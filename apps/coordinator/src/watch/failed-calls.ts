import type { ErrorCode, ShoalError } from '@shoal/errors';
import type { FailedCall } from '@shoal/protocol';
import type { EventFeed } from './event-feed.ts';
import { ToldCounts } from './told-counts.ts';

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

/**
 * Why calls end with an error: counted by code, told to the log once a second and code at most, and remembered until the
 * service of the call has heard that it is over, which gRPC calls "cancelled" and nothing more.
 */
export class FailedCalls {
  readonly #feed: EventFeed;
  readonly #counts: ToldCounts<string>;
  readonly #reasons = new WeakMap<object, ShoalError>();

  constructor(feed: EventFeed, now: () => number) {
    this.#feed = feed;
    this.#counts = new ToldCounts(now);
  }

  failed({ code, error, metadata, path, peer }: FailedCall): void {
    if (metadata !== undefined) this.#reasons.set(metadata, error);
    this.#counts.add(code);
    // A limit is told of with its name (limit-counts.ts); the other codes say that something is not there, or not now.
    if (!countedCodes.includes(code) || told.includes(code) || error.facts['limitName'] !== undefined) return;
    const times = this.#counts.toTell(code);
    if (times === undefined) return;
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
    return this.#counts.all();
  }
}

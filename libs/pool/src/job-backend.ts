/**
 * The seam between the surface that users touch and whatever runs their jobs.
 *
 * `map`, `imap`, `submit` and the rest are written once, over this interface; the local pool and the cluster are two
 * implementations of it. So both behave alike by construction.
 *
 *   MapPool surface --- blocks of encoded items, credit, cancel ---> JobBackend (LocalBackend | ClusterBackend)
 *                   <-- outcomes by index, prints, progress, end ---
 */

import type { Facts, ItemAttempt } from '@shoal/errors';
import type { RetryBudgets } from '@shoal/scheduler';
import type { Block, Encoding, Print, RemoteErrorData, TaskRef } from './child-pool/chunk-request.ts';

/** What the surface asks for: options checked, defaults filled in, function resolved. */
export interface JobRequest {
  readonly task: TaskRef;
  readonly encoding: Encoding;
  readonly spread: boolean;
  readonly ordered: boolean;
  readonly totalItems?: number;
  readonly chunkSize: number | 'auto';
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly retries: RetryBudgets;
  readonly retryOn?: { readonly names: readonly string[] } | { readonly source: string };
  readonly maxTasksPerChild?: number;
  readonly concurrentTasksPerChild?: number;
  readonly failFast: boolean;
  readonly pure: boolean;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly requestId?: string;
  /** One result, at most. Default 64 MiB. */
  readonly maxResultBytes?: number;
  /** Items given to the backend and not yet acknowledged, at most. */
  readonly windowItems: number;
}

/** What came of one item that failed for good. */
export interface FailedOutcome {
  readonly index: number;
  /** An `ItemErrorCode`, or what a newer coordinator or agent says in its place. */
  readonly code: string;
  /** What a peer said of it in a line; shown where the code is not known. */
  readonly summary?: string;
  readonly attempts: readonly ItemAttempt[];
  readonly facts: Facts;
  /** What the function threw. */
  readonly error?: RemoteErrorData;
  readonly stderrTail?: string;
}

/** Where a job stands. */
export interface BackendProgress {
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  readonly retried: number;
  /** Items that were given to a second process to beat a straggler, and those whose second attempt was first. */
  readonly speculated: number;
  readonly speculationWins: number;
  /** Why it waits, in words; undefined while it comes on. */
  readonly waitingFor?: string;
}

/** What a backend tells the surface of a job. Synchronous calls that must not throw. */
export interface JobSink {
  /** Whether a result, or how many there are, is seen before the last one has come: if not, they may travel together. */
  readonly isWatched: boolean;
  /**
   * Values of the items `first` … `first + count - 1`, in the order of delivery; `bytes` is encoded as Block.bytes is.
   * `offset` values of `bytes` come before them and are not meant (a run of which only a part was accepted); 0 if left out.
   * `ran` is where they come from, for what is said of bytes that cannot be read.
   */
  values(first: number, count: number, bytes: Uint8Array, offset?: number, ran?: ItemAttempt): void;
  failed(outcome: FailedOutcome): void;
  /** The surface may push until it has pushed `upTo` items in all. Starts at 0. */
  granted(upTo: number): void;
  print(print: Print, agent: string | undefined): void;
  progress(progress: BackendProgress): void;
  /**
   * The job is over; nothing is called afterwards. No error: every item had its outcome. With `failFast` the outcome
   * that ended the job is given to `failed` before this, whatever its place in the order.
   */
  ended(error: Error | undefined): void;
}

/** A job that runs. */
export interface RunningJob {
  /** The job's id, known once the backend has created it. */
  readonly id: string;
  /** The next items. Blocks follow each other without a gap, within the grant. */
  push(block: Block): void;
  endInput(): void;
  /** The consumer has taken the first `position` outcomes, in order of delivery. */
  acknowledge(position: number): void;
  cancel(reason: string): void;
}

/** One process as `stats()` lists it. */
export interface ProcessStats {
  /** Its process id, on the machine that it runs on. */
  readonly pid: number;
  /** The agent that it runs on; undefined in a local pool. */
  readonly agent?: string;
  /** Calls of task functions that it started. */
  readonly tasksRun: number;
  /** When it was started. */
  readonly startedAt: Date;
  /** Resident memory; 0 where it is not known yet. */
  readonly rssBytes: number;
  /** `starting` until its initializer is done, `busy` while it runs something, `retiring` while it is being replaced. */
  readonly state: 'starting' | 'idle' | 'busy' | 'retiring';
}

/** A snapshot of a pool. */
export interface PoolStats {
  /** At most `processes` of them, and 1,024 on a cluster; a warm spare is not listed. */
  readonly processes: readonly ProcessStats[];
  /** How many more processes the pool has than are listed, on a cluster; absent where all are. */
  readonly unlisted?: number;
  /** Children replaced as planned (maxTasksPerChild, age, memory). */
  readonly recycled: number;
  /** Children that died outside our will, or were killed because they said nothing at their start. */
  readonly deaths: number;
  /** How children were started. On a cluster: those that its agents have started for this pool. */
  readonly starts: {
    /** Children that were started as processes of their own. */
    readonly spawned: number;
    /** Children that were copied from a fork server. */
    readonly forked: number;
    /**
     * Why children that were to be forked were spawned, or no module is shared, as a part of a sentence; absent where there
     * were none. It is the last reason, also where children are forked since. On a cluster it is what one agent says, whose name
     * it begins with.
     */
    readonly notForked?: string;
  };
  /** Items known and not yet running. */
  readonly queued: number;
  /** Items running. */
  readonly running: number;
  /** Items with an outcome. */
  readonly done: number;
}

/** Runs jobs: on this machine or on a cluster. */
export interface JobBackend {
  open(request: JobRequest, sink: JobSink): RunningJob;
  stats(): PoolStats;
  /** No new jobs; resolves when the running ones have ended and every child of ours is gone. */
  close(): Promise<void>;
  /** End everything now; running jobs end with the given error; resolves when every child of ours is gone. */
  terminate(error: Error): Promise<void>;
}

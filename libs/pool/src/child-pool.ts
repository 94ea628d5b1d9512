import type { ChunkListener, ChunkRequest } from './chunk-request.ts';
import type { ChunkId } from './core/chunk.ts';
import type { ProcessStats } from './job-backend.ts';

/** What a {@link ChildPool} is made of. */
export interface ChildPoolOptions {
  /** Children that run tasks at once, at most. */
  readonly processes: number;
  /** Whom to tell of results, failures, endings and prints. */
  readonly listener: ChunkListener;
  /** Chunks handed in and not ended, at most. Default 10,000; more is LIMIT_REACHED. */
  readonly maxQueuedChunks?: number;
}

/** A snapshot of a {@link ChildPool}. */
export interface ChildPoolStats {
  /** At most `processes` of them; warm spares and children on their way out are not listed. */
  readonly processes: readonly ProcessStats[];
  /** Children replaced as planned. */
  readonly recycled: number;
  /** Children that died outside our will. */
  readonly deaths: number;
  /** Items handed in that no child has been given. */
  readonly queuedItems: number;
  /** Items given to a child and not reported. */
  readonly runningItems: number;
  /** Chunks handed in that have not ended. */
  readonly chunks: number;
}

/**
 * The one process pool of this repository: it runs chunks in child processes, recycles the children, and reports
 * facts. It retries nothing and blames nobody; that is the scheduler's business.
 */
export class ChildPool {
  constructor(options: ChildPoolOptions) {
    void options;
  }

  /** Run a chunk. Throws POOL_CLOSED after `close()` and LIMIT_REACHED over `maxQueuedChunks`. */
  run(request: ChunkRequest): void {
    throw new Error(`not built yet: ${request.id}`);
  }

  /**
   * End a chunk early. Its running items get their AbortSignal, and SIGKILL after `graceMs` (default 2,000).
   * Nothing more is reported of it but its ending. An unknown chunk is ignored: it may just have ended.
   */
  abort(id: ChunkId, graceMs: number = 2_000): void {
    throw new Error(`not built yet: ${id} ${graceMs}`);
  }

  /** Use this many processes from now on; those too many leave when their chunk is done. */
  resize(processes: number): void {
    throw new Error(`not built yet: ${processes}`);
  }

  /** Take no more results from the children until {@link resumeResults}: they wait when their pipe is full. */
  pauseResults(): void {}

  resumeResults(): void {}

  stats(): ChildPoolStats {
    return { processes: [], recycled: 0, deaths: 0, queuedItems: 0, runningItems: 0, chunks: 0 };
  }

  /** Take nothing new, run what was handed in; resolves when every child is gone. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Kill every child; what had not ended ends as `aborted`. Resolves when every child is gone. */
  terminate(): Promise<void> {
    return Promise.resolve();
  }
}

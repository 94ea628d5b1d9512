import type { ChildRecord } from './child-record.ts';
import { IndexSet } from './index-set.ts';
import type { ChunkQueued } from './pool-event.ts';

/**
 * A chunk that has not ended. It is work for one slot, one part after another: a part is what one child runs of it,
 * and the next part begins where a recycled child left off. So a chunk has at most one part at a time.
 */
export class ChunkRecord {
  readonly spec: ChunkQueued;
  /** Items that no child holds and that were not reported. */
  readonly todo: IndexSet;
  part: Part | undefined;
  isQueued = false;
  /** Since when no child was there that could run it; undefined while one is. */
  waitsSinceMs: number | undefined;
  /** Set when nobody wants the rest: how long running items may go on. */
  abortGraceMs: number | undefined;
  /** What has not begun of it is wanted back by whoever handed it in. */
  isRecalled = false;
  /** Items that began, and whose outcome nobody hears because the chunk was aborted. */
  readonly unheard: IndexSet = new IndexSet();
  /** An item of it may be what a server has died of: no other such chunk runs beside it. */
  readonly isServerSuspect: boolean;

  constructor(spec: ChunkQueued, isServerSuspect: boolean) {
    this.spec = spec;
    this.isServerSuspect = isServerSuspect;
    this.todo = new IndexSet([{ first: spec.first, count: spec.count }]);
  }

  get taskLimit(): number {
    return this.spec.maxTasksPerChild ?? Number.POSITIVE_INFINITY;
  }
}

const unmarked: Map<number, number> = new Map();

/** Consecutive items of a chunk in the hands of one child. */
export class Part {
  readonly chunk: ChunkRecord;
  readonly child: ChildRecord;
  readonly first: number;
  readonly count: number;
  /** Items not reported. */
  readonly open: IndexSet;
  /** Items running, by the time of their start mark; one for all, and empty, where starts are not marked. */
  readonly started: Map<number, number>;
  /** Whether its function was loaded, so that an item may have started. */
  hasBegun = false;
  /** What has not begun of it is wanted back. */
  isRecalled = false;
  /** The last sign of life, from which the time of a death is measured. */
  lastNewsMs: number;
  /** The item that ran too long. */
  timedOut: { readonly index: number; readonly ms: number } | undefined;
  /** Its child is killed for a reason that has nothing to do with it: what it ran goes back free. */
  isInnocent = false;

  constructor(chunk: ChunkRecord, child: ChildRecord, first: number, count: number, atMs: number) {
    this.chunk = chunk;
    this.child = child;
    this.first = first;
    this.count = count;
    this.open = new IndexSet([{ first, count }]);
    this.lastNewsMs = atMs;
    this.started = chunk.spec.marksStarts ? new Map() : unmarked;
  }

  get end(): number {
    return this.first + this.count;
  }
}

/** What the pool machine wants done, in this order. The driver does it and decides nothing. */
import type { ChunkEnding, ChunkId } from './chunk.ts';
import type { ChildId } from './pool-event.ts';

/** Start a child of a key. It may load the function of `chunk` at once, for it will probably run it; none: no work yet. */
export interface SpawnChild {
  readonly type: 'spawnChild';
  readonly child: ChildId;
  readonly key: string;
  readonly chunk: ChunkId | undefined;
}

/** Give a child consecutive items of a chunk. */
export interface RunPart {
  readonly type: 'runPart';
  readonly child: ChildId;
  readonly chunk: ChunkId;
  readonly first: number;
  readonly count: number;
}

/**
 * Start no further item of the part. Answered by `partEnded`. The signals of items that run are aborted, unless it is
 * only `recalled`: another child has nothing to do, or whoever handed the chunk in wants the rest of it back.
 */
export interface AbortPart {
  readonly type: 'abortPart';
  readonly child: ChildId;
  readonly chunk: ChunkId;
  readonly reason: 'aborted' | 'timedOut' | 'recalled';
  /** The item that ran too long: only its signal is aborted, for those beside it run elsewhere again. */
  readonly index?: number;
}

/** Start no further item of anything; what runs may finish. Answered by `partEnded` of each part. */
export interface StopChild {
  readonly type: 'stopChild';
  readonly child: ChildId;
}

/** The child has nothing to do any more: let it leave by itself. */
export interface RetireChild {
  readonly type: 'retireChild';
  readonly child: ChildId;
}

/** Kill the child and everything that it started. */
export interface KillChild {
  readonly type: 'killChild';
  readonly child: ChildId;
}

/** The values in hand are true: pass them on. Not passed on means dropped. */
export interface AcceptValues {
  readonly type: 'acceptValues';
  readonly chunk: ChunkId;
}

/** The failure in hand is true: pass it on. */
export interface AcceptFailure {
  readonly type: 'acceptFailure';
  readonly chunk: ChunkId;
}

/** A chunk is over. */
export interface EndChunk {
  readonly type: 'endChunk';
  readonly chunk: ChunkId;
  readonly ending: ChunkEnding;
  /** Whose last words explain a death, or a function or initializer that failed. */
  readonly child: ChildId | undefined;
  /** Why a `taskFailed` or `initializerFailed` is one. */
  readonly why?:
    | 'unloadable'
    | 'killsChildren'
    | 'childrenDoNotStart'
    | 'childrenHangAtStart'
    | 'initializerHangs';
}

/** Everything the machine can ask for. */
export type PoolCommand =
  | SpawnChild
  | RunPart
  | AbortPart
  | StopChild
  | RetireChild
  | KillChild
  | AcceptValues
  | AcceptFailure
  | EndChunk;

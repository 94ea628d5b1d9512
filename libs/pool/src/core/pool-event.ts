/**
 * What happens to the pool machine: facts in the past tense, each with the time at which the driver saw it (`atMs`,
 * monotonic milliseconds). None carries a payload; the driver holds the bytes of an event in hand until the commands
 * of that very step are done.
 */
import type { ChildExit, ChunkId } from './chunk.ts';

/** A child's number, chosen by the machine, never used twice in one pool. */
export type ChildId = number;

/** What a group may have of the pool. */
export interface GroupShare {
  readonly id: string;
  /** So many children may be busy for the group at once, until a chunk of a higher order says otherwise; undefined: all. */
  readonly slots: number | undefined;
  /** Rises with each word on it; never falls, whatever the order in which chunks are handed in. */
  readonly order: number;
}

/** What holds for all children of a key. */
export interface KeyTraits {
  /** How old they may get. */
  readonly maxAgeMs?: number;
  /** They say nothing until somebody has attached a debugger, and nobody knows when that is: their start has no limit. */
  readonly waitsForDebugger?: boolean;
}

/** A chunk was handed in. */
export interface ChunkQueued extends KeyTraits {
  readonly type: 'chunkQueued';
  readonly atMs: number;
  readonly chunk: ChunkId;
  /** Only children of this key may run it. */
  readonly key: string;
  /** Which function it calls: what is measured, and given up on, as one. */
  readonly task: string;
  /** Functions of one kind are equal: items of the next one will take as long. Left out: there is none like it. */
  readonly kind?: string;
  readonly first: number;
  readonly count: number;
  /** Each item's start is marked before it runs. Always so with `timeoutMs` and where several run at once. */
  readonly marksStarts: boolean;
  /** No item of it may run twice: what began is reported, whatever else ended its child. Left out: they may. */
  readonly runsOnce?: true;
  readonly timeoutMs?: number;
  readonly maxTasksPerChild?: number;
  readonly concurrentTasks: number;
  /** Whose it is, where that is told. Children of one key serve one group. */
  readonly group?: GroupShare;
}

/** Nobody wants the rest of a chunk any more. */
export interface AbortRequested {
  readonly type: 'abortRequested';
  readonly atMs: number;
  readonly chunk: ChunkId;
  /** How long its running items may go on after their AbortSignal. */
  readonly graceMs: number;
}

/** Somebody else waits for the process: what has not begun of a chunk is wanted back, and what runs may finish. */
export interface RecallRequested {
  readonly type: 'recallRequested';
  readonly atMs: number;
  readonly chunk: ChunkId;
}

/** The number of processes changed. */
export interface Resized {
  readonly type: 'resized';
  readonly atMs: number;
  readonly processes: number;
}

/** Nothing is to be given to a child until further notice (`held`), or things go on. What children have they finish. */
export interface StartsHeld {
  readonly type: 'startsHeld';
  readonly atMs: number;
  readonly held: boolean;
}

/** Nobody reads what children say until further notice (`held`), for there is no room for it; or somebody reads on. */
export interface NewsHeld {
  readonly type: 'newsHeld';
  readonly atMs: number;
  readonly held: boolean;
}

/** From now on `count` children of a key are wanted, as far as `processes` allows, with and without work. */
export interface WarmRequested extends KeyTraits {
  readonly type: 'warmRequested';
  readonly atMs: number;
  readonly key: string;
  readonly count: number;
}

/** Nobody will ask for children of these keys again, but for the chunks that are here. */
export interface KeysReleased {
  readonly type: 'keysReleased';
  readonly atMs: number;
  readonly keys: ReadonlySet<string>;
}

/** The child's program runs; its initializer comes next. */
export interface ChildStarted {
  readonly type: 'childStarted';
  readonly atMs: number;
  readonly child: ChildId;
  /** How long its initializer may take. Default: the machine's limit. */
  readonly initializerMs?: number;
}

/** The child's initializer, if it has one, is done: it can run items. */
export interface ChildReady {
  readonly type: 'childReady';
  readonly atMs: number;
  readonly child: ChildId;
}

/** The child's initializer threw. */
export interface InitializerThrew {
  readonly type: 'initializerThrew';
  readonly atMs: number;
  readonly child: ChildId;
}

/** The function of a chunk could not be loaded. */
export interface TaskUnloadable {
  readonly type: 'taskUnloadable';
  readonly atMs: number;
  readonly child: ChildId;
  readonly chunk: ChunkId;
}

/** The child has loaded the function and starts the part's first item next. */
export interface PartBegan {
  readonly type: 'partBegan';
  readonly atMs: number;
  readonly child: ChildId;
  readonly chunk: ChunkId;
}

/** One item starts (only in parts that mark starts). */
export interface ItemStarted {
  readonly type: 'itemStarted';
  readonly atMs: number;
  readonly child: ChildId;
  readonly chunk: ChunkId;
  readonly index: number;
}

/**
 * Values of consecutive items arrived. Parts that mark starts say each by itself: the value of an item that ran too long
 * is dropped, and must not take that of its neighbour along.
 */
export interface ItemsSucceeded {
  readonly type: 'itemsSucceeded';
  readonly atMs: number;
  readonly child: ChildId;
  readonly chunk: ChunkId;
  readonly first: number;
  readonly count: number;
  /** Time in the function, all items together. */
  readonly runMs: number;
}

/** One item threw, or its result cannot be sent. */
export interface ItemFailed {
  readonly type: 'itemFailed';
  readonly atMs: number;
  readonly child: ChildId;
  readonly chunk: ChunkId;
  readonly index: number;
}

/** The child is done with a part: every item before `next` was reported, none from `next` on was started. */
export interface PartEnded {
  readonly type: 'partEnded';
  readonly atMs: number;
  readonly child: ChildId;
  readonly chunk: ChunkId;
  readonly next: number;
  /** The child is over `maxRssBytes` and takes no further item. */
  readonly isSpent: boolean;
}

/** The child runs its exit handlers, and says which items were running. */
export interface ChildExiting {
  readonly type: 'childExiting';
  readonly atMs: number;
  readonly child: ChildId;
  readonly running: readonly { readonly chunk: ChunkId; readonly index: number }[];
}

/** The child's descriptor ended while it lives. */
export interface ChannelLost {
  readonly type: 'channelLost';
  readonly atMs: number;
  readonly child: ChildId;
}

/** The child sent what no child of ours sends: garbage, or a forged frame. */
export interface ChannelBroken {
  readonly type: 'channelBroken';
  readonly atMs: number;
  readonly child: ChildId;
}

/** The child is gone, and all that it had sent has been seen. Also: it could not be started. */
export interface ChildExited {
  readonly type: 'childExited';
  readonly atMs: number;
  readonly child: ChildId;
  readonly exit: ChildExit;
}

/** No chunk is handed in from now on. */
export interface CloseRequested {
  readonly type: 'closeRequested';
  readonly atMs: number;
}

/** Everything ends now. */
export interface TerminateRequested {
  readonly type: 'terminateRequested';
  readonly atMs: number;
}

/** `nextDeadlineMs()` was reached. */
export interface ClockTicked {
  readonly type: 'clockTicked';
  readonly atMs: number;
}

/** Everything that can happen. */
export type PoolEvent =
  | ChunkQueued
  | AbortRequested
  | RecallRequested
  | Resized
  | StartsHeld
  | NewsHeld
  | WarmRequested
  | KeysReleased
  | ChildStarted
  | ChildReady
  | InitializerThrew
  | TaskUnloadable
  | PartBegan
  | ItemStarted
  | ItemsSucceeded
  | ItemFailed
  | PartEnded
  | ChildExiting
  | ChannelLost
  | ChannelBroken
  | ChildExited
  | CloseRequested
  | TerminateRequested
  | ClockTicked;

/**
 * What happens to the agent: facts in the past tense, each with the time at which the driver saw it (`atMs`, monotonic
 * milliseconds). None carries a payload, only its size; the driver holds the bytes of an event in hand until the
 * commands of that very step are done.
 *
 * Whatever came over a connection says over which (`link`): news of an earlier one are no news.
 */

/** One connection to the coordinator, tried or open. Numbers rise; chosen by the machine. */
export type LinkId = number;
/** A try at a range of items; the coordinator's number, never used twice in an epoch. */
export type AttemptId = number;
/** What the pool runs for an attempt; the machine's number, never used twice: attempts of two epochs may be equal. */
export type ChunkId = number;
/** One announcement of a job, with its bundles; the machine's number. A job is announced anew in each session. */
export type SetupId = number;
/** One piece of news that waits for the coordinator; the machine's number. */
export type EntryId = number;

/** The agent runs. */
export interface Started {
  readonly type: 'started';
  readonly atMs: number;
}

/** Somebody wants the agent to end: SIGTERM, Ctrl-C, `close()`. The second time it ends at once. */
export interface StopRequested {
  readonly type: 'stopRequested';
  readonly atMs: number;
  /** Finish what runs first. */
  readonly drain: boolean;
}

/** A connection is gone, could not be had, or the coordinator refused what was asked over it. */
export interface LinkLost {
  readonly type: 'linkLost';
  readonly atMs: number;
  readonly link: LinkId;
  /** Of the error catalogue: `CONNECTION_LOST`, `AGENT_NAME_TAKEN`, `VERSION_MISMATCH` … */
  readonly code: string;
}

/** The coordinator has taken the agent in: a session has begun. */
export interface Joined {
  readonly type: 'joined';
  readonly atMs: number;
  readonly link: LinkId;
  readonly session: number;
  readonly epoch: number;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly selfFenceMs: number;
  readonly abandonMs: number;
  /** Attempts of the join that are not the agent's any more. */
  readonly drop: readonly AttemptId[];
}

/** The coordinator answered a heartbeat. */
export interface HeartbeatAnswered {
  readonly type: 'heartbeatAnswered';
  readonly atMs: number;
  readonly link: LinkId;
  /** Which one. */
  readonly sequence: number;
  /** Attempts that are not the agent's any more. */
  readonly drop: readonly AttemptId[];
  /** From now on; 0: as before. */
  readonly heartbeatMs: number;
  /** From now on; 0: as before. */
  readonly leaseMs: number;
}

/** The coordinator takes an attempt back. It may overtake the dispatch, which comes on the other stream. */
export interface AttemptRevoked {
  readonly type: 'attemptRevoked';
  readonly atMs: number;
  readonly link: LinkId;
  readonly attempt: AttemptId;
}

/** The coordinator asks for what has not begun of an attempt. It may overtake the dispatch. */
export interface AttemptRecalled {
  readonly type: 'attemptRecalled';
  readonly atMs: number;
  readonly link: LinkId;
  readonly attempt: AttemptId;
}

/** Why a coordinator ended a session. */
export type SessionEndReason = 'superseded' | 'silent' | 'drained' | 'shutdown' | 'unsaid';

/** The coordinator ended the session. */
export interface SessionEnded {
  readonly type: 'sessionEnded';
  readonly atMs: number;
  readonly link: LinkId;
  readonly reason: SessionEndReason;
}

/** The coordinator has every batch of the session up to this one. */
export interface BatchesTaken {
  readonly type: 'batchesTaken';
  readonly atMs: number;
  readonly link: LinkId;
  readonly sequence: number;
}

/** The coordinator announced a job: work on it may come. */
export interface JobAnnounced {
  readonly type: 'jobAnnounced';
  readonly atMs: number;
  readonly link: LinkId;
  readonly job: string;
}

/** Items of a job came that need more than was prepared for it: a constant, which is a file like its bundle. */
export interface JobGrown {
  readonly type: 'jobGrown';
  readonly atMs: number;
  readonly link: LinkId;
  readonly job: string;
}

/** A job is over: no more work on it comes. */
export interface JobForgotten {
  readonly type: 'jobForgotten';
  readonly atMs: number;
  readonly link: LinkId;
  readonly job: string;
}

/** The coordinator handed over a range of items. */
export interface AttemptDispatched {
  readonly type: 'attemptDispatched';
  readonly atMs: number;
  readonly link: LinkId;
  readonly attempt: AttemptId;
  readonly job: string;
  readonly first: number;
  readonly count: number;
  readonly marksStarts: boolean;
  readonly tryNumber: number;
  /** Processes that may be busy for its job's group from now on; 0: as many as there are. */
  readonly groupSlots: number;
}

/** The answer to `requestSend`: the stream has room, and whatever this turn of the event loop brought is here. */
export interface SendGranted {
  readonly type: 'sendGranted';
  readonly atMs: number;
  readonly link: LinkId;
}

/** The answer to `finishData`: the coordinator has taken everything that was sent, and has ended the stream too. */
export interface DataFinished {
  readonly type: 'dataFinished';
  readonly atMs: number;
  readonly link: LinkId;
}

/** The control stream holds as much as it should, or has room again. */
export interface ControlRoomChanged {
  readonly type: 'controlRoomChanged';
  readonly atMs: number;
  readonly link: LinkId;
  readonly hasRoom: boolean;
}

/** All that a job needs is here: its bundles are on disk. */
export interface SetupPrepared {
  readonly type: 'setupPrepared';
  readonly atMs: number;
  readonly setup: SetupId;
}

/** What a job needs cannot be had. */
export interface SetupFailed {
  readonly type: 'setupFailed';
  readonly atMs: number;
  readonly setup: SetupId;
  /** It may work later, or elsewhere: no verdict on the job. */
  readonly retryable: boolean;
}

/** The pool did not take a chunk. Its error is in hand. */
export interface ChunkRefused {
  readonly type: 'chunkRefused';
  readonly atMs: number;
  readonly chunk: ChunkId;
  /** It may work later, or elsewhere: no verdict on the job. */
  readonly retryable: boolean;
}

/** Consecutive items of a chunk gave values, which are in hand. */
export interface ItemsSucceeded {
  readonly type: 'itemsSucceeded';
  readonly atMs: number;
  readonly chunk: ChunkId;
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
}

/** An item of a chunk failed while the blame is clear; its error is in hand. */
export interface ItemFailed {
  readonly type: 'itemFailed';
  readonly atMs: number;
  readonly chunk: ChunkId;
  readonly index: number;
  readonly bytes: number;
}

/** A chunk is over; how is in hand. Its child is free, or gone. */
export interface ChunkEnded {
  readonly type: 'chunkEnded';
  readonly atMs: number;
  readonly chunk: ChunkId;
}

/** There are prints to send. They are the driver's: bounded by dropping, and nothing depends on them. */
export interface PrintsArrived {
  readonly type: 'printsArrived';
  readonly atMs: number;
}

/** `nextDeadlineMs()` was reached. */
export interface ClockTicked {
  readonly type: 'clockTicked';
  readonly atMs: number;
}

/** What came over a connection. */
export type LinkEvent =
  | LinkLost
  | Joined
  | HeartbeatAnswered
  | AttemptRevoked
  | AttemptRecalled
  | SessionEnded
  | BatchesTaken
  | JobAnnounced
  | JobGrown
  | JobForgotten
  | AttemptDispatched
  | SendGranted
  | DataFinished
  | ControlRoomChanged;

/** What came from the process pool and the bundle cache. */
export type WorkEvent =
  | SetupPrepared
  | SetupFailed
  | ChunkRefused
  | ItemsSucceeded
  | ItemFailed
  | ChunkEnded
  | PrintsArrived;

/** Everything that can happen. */
export type AgentEvent = Started | StopRequested | LinkEvent | WorkEvent | ClockTicked;

/**
 * What happens to the coordinator: facts in the past tense, each with the time at which the driver saw it (`atMs`,
 * monotonic milliseconds). None carries a payload; the driver holds the bytes of an event in hand until the commands
 * of that very step are done.
 *
 *   clients   jobRequested, readerOpened, acknowledgementReceived, readerClosed,
 *             writerOpened, blockReceived, inputEndReceived, writerClosed, cancelReceived, jobReleased
 *   agents    joinReceived, heartbeatListed, and what the scheduler hears of them as it is
 *   itself    stopRequested, storageChanged, storageFailed, stallObserved, clockTicked
 */
import type { AgentName, AttemptId, JobId, JobSpec, SchedulerEvent, SessionId } from '@shoal/scheduler';

/** A call of a client, a unary one or a stream. Numbered by the driver, rising, never used twice in an epoch. */
export type CallId = number;

/**
 * One client's hold of a job, over all its connections: chosen by the client, and the same for its reads, its
 * acknowledgements and its items. Empty: a client that says nothing about it.
 */
export type ClientSession = string;

/** One connection of a client, while it is open. */
export type ConnectionName = string;

/** A client asked for a job. The request was checked: it can run. */
export interface JobRequested {
  readonly type: 'jobRequested';
  readonly atMs: number;
  readonly call: CallId;
  /** What a new job is to be called. Never used before. */
  readonly job: JobId;
  /** The client's own; empty: every request creates a job. */
  readonly requestId: string;
  /** Equal for requests with equal content. */
  readonly fingerprint: string;
  /** Size of the request, which is kept as long as the job is known. 0 if left out. */
  readonly bytes?: number;
  readonly spec: JobSpec;
}

/** A client opened a stream of outcomes. */
export interface ReaderOpened {
  readonly type: 'readerOpened';
  readonly atMs: number;
  readonly call: CallId;
  readonly job: JobId;
  readonly session: ClientSession;
  /** Which of the session's streams of outcomes it is, rising. Left out: the latest, whenever it comes. */
  readonly stream?: number | undefined;
  /** How many outcomes it has already, in the order of delivery. */
  readonly fromPosition: number;
}

/** A stream of outcomes is gone, or its reader has been told all. */
export interface ReaderClosed {
  readonly type: 'readerClosed';
  readonly atMs: number;
  readonly call: CallId;
  /** As in {@link WriterClosed}. */
  readonly connection?: ConnectionName | undefined;
}

/** A client has the first `position` outcomes for good. */
export interface AcknowledgementReceived {
  readonly type: 'acknowledgementReceived';
  readonly atMs: number;
  readonly call: CallId;
  readonly job: JobId;
  readonly session: ClientSession;
  readonly position: number;
}

/** A client opened a stream of items. */
export interface WriterOpened {
  readonly type: 'writerOpened';
  readonly atMs: number;
  readonly call: CallId;
  readonly job: JobId;
  readonly session: ClientSession;
  /** Which of the session's streams of items it is, rising. Left out: the latest, whenever it comes. */
  readonly stream?: number | undefined;
  /** The first item that it will send. */
  readonly firstIndex: number;
}

/** A block of items came whole; the driver has its bytes in hand. */
export interface BlockReceived {
  readonly type: 'blockReceived';
  readonly atMs: number;
  readonly call: CallId;
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
  /** Others may come in the same turn of the event loop; a `clockTicked` follows it. */
  readonly more?: boolean;
}

/** A writer said that the job's input is complete. */
export interface InputEndReceived {
  readonly type: 'inputEndReceived';
  readonly atMs: number;
  readonly call: CallId;
  readonly totalItems: number;
}

/**
 * A stream of items ended. `orderly`: its client closed it and waits for the answer; what it sent counts. Otherwise it
 * is gone, and what was not accepted does not exist.
 */
export interface WriterClosed {
  readonly type: 'writerClosed';
  readonly atMs: number;
  readonly call: CallId;
  readonly orderly: boolean;
  /**
   * The connection that it came on, where that is still open: its client has ended the stream, or `connectionGivenUp`
   * follows at once. Left out: the client closed its connection, or nobody knows.
   */
  readonly connection?: ConnectionName | undefined;
}

/** A connection was closed here because its client gave no sign of life any more; it may be stopped, or cut off. */
export interface ConnectionGivenUp {
  readonly type: 'connectionGivenUp';
  readonly atMs: number;
  readonly connection: ConnectionName;
}

/** A client asked for the end of a job. */
export interface CancelReceived {
  readonly type: 'cancelReceived';
  readonly atMs: number;
  readonly call: CallId;
  readonly job: JobId;
  readonly reason: string;
}

/** The one client that a job could have is gone for good (a Map call has ended): nobody will ask for the job again. */
export interface JobReleased {
  readonly type: 'jobReleased';
  readonly atMs: number;
  readonly job: JobId;
  readonly reason: string;
}

/** What an agent holds from an earlier session. */
export interface ListedAttempt {
  readonly attempt: AttemptId;
  readonly job: JobId;
  /** The coordinator's life in which it was given. */
  readonly epoch: number;
}

/** An agent wants a session. The message was checked: names and numbers are well formed. */
export interface JoinReceived {
  readonly type: 'joinReceived';
  readonly atMs: number;
  readonly session: SessionId;
  readonly agent: AgentName;
  /** One life of the agent's process. */
  readonly instance: string;
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  /** What items may come in; all there is if left out. */
  readonly encodings?: readonly string[];
  /** It holds back what it has of a group beyond the slots that the group may use there. Left out: it does not. */
  readonly keepsGroupSlots?: boolean;
  readonly held: readonly ListedAttempt[];
}

/** An agent said that it lives, and which attempts it holds. */
export interface HeartbeatListed {
  readonly type: 'heartbeatListed';
  readonly atMs: number;
  readonly session: SessionId;
  /** The agent's number for it; its answer carries the same. */
  readonly sequence: number;
  readonly held: readonly AttemptId[];
  /** For how long it has taken nothing from its streams, though there was something for it. */
  readonly stalledForMs: number;
}

/** The coordinator is to stop: it takes no new jobs, and those that run may finish. */
export interface StopRequested {
  readonly type: 'stopRequested';
  readonly atMs: number;
}

/** What runs is to end now, because the coordinator stops. */
export interface StopHurried {
  readonly type: 'stopHurried';
  readonly atMs: number;
}

/** The room for items and results grew tight, or there is enough of it again. */
export interface StorageChanged {
  readonly type: 'storageChanged';
  readonly atMs: number;
  readonly isTight: boolean;
}

/** Bytes of a job could not be kept, or not be read back: it cannot be completed. */
export interface StorageFailed {
  readonly type: 'storageFailed';
  readonly atMs: number;
  readonly job: JobId;
  /** In words, such as `the disk is full`. */
  readonly reason: string;
}

/** What goes to the scheduler as it is. */
export type RelayedEvent = Extract<
  SchedulerEvent,
  {
    readonly type:
      | 'sessionClosed'
      | 'drainRequested'
      | 'resumeRequested'
      | 'slotsChanged'
      | 'itemsSucceeded'
      | 'itemFailed'
      | 'attemptEnded'
      | 'protocolBroken'
      | 'stallObserved'
      | 'clockTicked';
  }
>;

/** Everything that can happen. */
export type CoordinatorEvent =
  | JobRequested
  | ReaderOpened
  | ReaderClosed
  | AcknowledgementReceived
  | WriterOpened
  | BlockReceived
  | InputEndReceived
  | WriterClosed
  | ConnectionGivenUp
  | CancelReceived
  | JobReleased
  | JoinReceived
  | HeartbeatListed
  | StopRequested
  | StopHurried
  | StorageChanged
  | StorageFailed
  | RelayedEvent;

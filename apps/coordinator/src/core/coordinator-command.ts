/**
 * What the coordinator wants done, in this order. The driver does it and decides nothing.
 *
 * The scheduler's own commands come through as they are, but for three: a grant goes to the streams that wait for it, an
 * end to the job's clients, a refused join to the session that asked.
 */
import type {
  AttemptId,
  EndJob,
  GrantItems,
  HeldAttempt,
  JobId,
  JobOutcome,
  RefuseJoin,
  SchedulerCommand,
  SessionId,
} from '@shoal/scheduler';
import type { CallId } from './coordinator-event.ts';

/** Why a call is refused, as an error of the catalogue and its facts. */
export type Refusal =
  | { readonly code: 'COORDINATOR_STOPPING' }
  | { readonly code: 'JOB_EXISTS'; readonly requestId: string }
  /** `reason`: why it is known no more, where that is known. */
  | { readonly code: 'JOB_NOT_FOUND'; readonly job: JobId; readonly reason?: string }
  | { readonly code: 'RESULT_ACKNOWLEDGED'; readonly cursor: number; readonly index: number }
  | {
      readonly code: 'ITEMS_OUT_OF_STEP';
      readonly job: JobId;
      readonly next: number;
      readonly index: number;
    }
  | { readonly code: 'STREAM_REPLACED'; readonly what: StreamKind; readonly job: JobId }
  | {
      readonly code: 'LIMIT_REACHED';
      readonly limit: LimitKind;
      readonly value: number;
      readonly most: number;
    }
  | { readonly code: 'REQUEST_INVALID'; readonly field: string; readonly reason: string };

/** As the calls are named on the wire. */
export type StreamKind = 'ReadResults' | 'PushItems';

/** What there may be so many of. */
export type LimitKind = 'jobs' | 'requestBytes';

/** A job is new: keep its request under this id. */
export interface CreateJob {
  readonly type: 'createJob';
  readonly call: CallId;
  readonly job: JobId;
}

/** Answer the call that asked for a job: this one is it, new or known. */
export interface AnswerCreate {
  readonly type: 'answerCreate';
  readonly call: CallId;
  readonly job: JobId;
}

/** Answer a call that asked for nothing but to be done. */
export interface Answer {
  readonly type: 'answer';
  readonly call: CallId;
}

/** End a call, unary or stream, with an error. Nothing more is written to it. */
export interface Refuse {
  readonly type: 'refuse';
  readonly call: CallId;
  readonly refusal: Refusal;
}

/** This stream is the job's one reader now. It gets outcomes from `fromPosition` on, as they are offered. */
export interface BindReader {
  readonly type: 'bindReader';
  readonly call: CallId;
  readonly job: JobId;
  readonly fromPosition: number;
}

/** The reader may be sent the outcomes before `upTo`, in the order of delivery, as fast as it takes them. */
export interface OfferOutcomes {
  readonly type: 'offerOutcomes';
  readonly call: CallId;
  readonly job: JobId;
  readonly upTo: number;
}

/** The producer may push until the job has `upTo` items in all: tell this reader or writer. The last grant holds. */
export interface Grant {
  readonly type: 'grant';
  readonly call: CallId;
  readonly upTo: number;
}

/** The job is over: after all that it was offered, tell the reader how, and end its stream. */
export interface EndReader {
  readonly type: 'endReader';
  readonly call: CallId;
  readonly job: JobId;
}

/** This stream is the job's one writer now. */
export interface BindWriter {
  readonly type: 'bindWriter';
  readonly call: CallId;
  readonly job: JobId;
}

/** Keep a block of this writer: the one in hand, or the one that it was told to hold. */
export interface KeepBlock {
  readonly type: 'keepBlock';
  readonly call: CallId;
  readonly job: JobId;
  readonly first: number;
  readonly count: number;
}

/** Hold the block in hand with its stream, and read no further there. */
export interface HoldBlock {
  readonly type: 'holdBlock';
  readonly call: CallId;
  readonly job: JobId;
}

/** Read on: nothing is held with this stream any more. */
export interface ResumeWriter {
  readonly type: 'resumeWriter';
  readonly call: CallId;
}

/** The writer is done: answer it. */
export interface EndWriter {
  readonly type: 'endWriter';
  readonly call: CallId;
  readonly acceptedItems: number;
}

/** How a job ended. */
export type JobEnding =
  | JobOutcome
  /** Its bytes could not be kept. */
  | { readonly state: 'noRoom'; readonly reason: string };

/**
 * A job is over: free what it holds on agents, and its items. Results that were delivered and not acknowledged stay
 * until `forgetJob`.
 */
export interface FinishJob extends Omit<EndJob, 'type' | 'outcome'> {
  readonly type: 'finishJob';
  readonly ending: JobEnding;
}

/**
 * A job has ended, its clients were told so, have taken every outcome and are gone: keep its name, its counts and its end,
 * in case they ask once more, and nothing else until `forgetJob`.
 */
export interface EmptyJob {
  readonly type: 'emptyJob';
  readonly job: JobId;
}

/** Nobody can ask for this job any more: drop all that is kept of it. */
export interface ForgetJob {
  readonly type: 'forgetJob';
  readonly job: JobId;
}

/** The agent has its session: answer its join. Of what it holds from an earlier one it keeps some and drops some. */
export interface AdmitAgent {
  readonly type: 'admitAgent';
  readonly session: SessionId;
  readonly keep: readonly HeldAttempt[];
  readonly drop: readonly AttemptId[];
}

/** Refuse a join: an agent of that name is alive. */
export interface RefuseAgent {
  readonly type: 'refuseAgent';
  readonly session: SessionId;
}

/** Answer a heartbeat; the agent drops these attempts. */
export interface AnswerHeartbeat {
  readonly type: 'answerHeartbeat';
  readonly session: SessionId;
  readonly sequence: number;
  readonly drop: readonly AttemptId[];
}

/** What comes from the scheduler as it is. */
export type RelayedCommand = Exclude<SchedulerCommand, GrantItems | EndJob | RefuseJoin>;

/** Everything the coordinator can ask for. */
export type CoordinatorCommand =
  | CreateJob
  | AnswerCreate
  | Answer
  | Refuse
  | BindReader
  | OfferOutcomes
  | Grant
  | EndReader
  | BindWriter
  | KeepBlock
  | HoldBlock
  | ResumeWriter
  | EndWriter
  | FinishJob
  | EmptyJob
  | ForgetJob
  | AdmitAgent
  | RefuseAgent
  | AnswerHeartbeat
  | RelayedCommand;

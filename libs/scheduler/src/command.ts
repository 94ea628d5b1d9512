/**
 * What the scheduler wants done, in this order. The driver does it and decides nothing.
 */
import type { FinalFailure } from './attempts/failure.ts';
import type { AgentName, AttemptId, JobId, SessionId } from './identity.ts';
import type { JobProgress } from './snapshot.ts';

/** Hand these items to an agent. The driver finds the bytes by (job, item). */
export interface Dispatch {
  readonly type: 'dispatch';
  readonly session: SessionId;
  readonly agent: AgentName;
  readonly attempt: AttemptId;
  readonly job: JobId;
  readonly first: number;
  readonly count: number;
  /** Run items one at a time and mark each start: the blame of a crash must be exact. */
  readonly marksStarts: boolean;
  /** Which try at these items this is, from 1 (what `current().attempt` shows). */
  readonly tryNumber: number;
  /**
   * From now on the agent may have so many slots busy with what it has of the job's group. The attempt with the highest
   * number says it. Undefined: as many as it has.
   */
  readonly groupSlots?: number | undefined;
}

/** Take an attempt back: the agent stops it and forgets it. */
export interface Revoke {
  readonly type: 'revoke';
  readonly session: SessionId;
  readonly attempt: AttemptId;
  readonly reason: 'cancelled' | 'deadline' | 'notYours' | 'superseded';
}

/**
 * Ask for what has not begun of an attempt, for another job waits for its slot. Nothing else of it changes: what runs may finish
 * and counts, and the rest comes back with its end.
 */
export interface Recall {
  readonly type: 'recall';
  readonly session: SessionId;
  readonly attempt: AttemptId;
}

/** The values in flight for these items are final: keep them until they are acknowledged. Not kept means dropped. */
export interface KeepResults {
  readonly type: 'keepResults';
  readonly job: JobId;
  readonly first: number;
  readonly count: number;
}

/** An item has failed for good. */
export interface KeepFailure {
  readonly type: 'keepFailure';
  readonly job: JobId;
  readonly index: number;
  readonly failure: FinalFailure;
  /** Whether the error payload in flight belongs to it. */
  readonly withPayload: boolean;
}

/** The input of these items is needed no more: every one of them has its outcome. */
export interface ReleaseItems {
  readonly type: 'releaseItems';
  readonly job: JobId;
  readonly first: number;
  readonly count: number;
}

/** These outcomes may go to the consumer, after those delivered before. */
export interface Deliver {
  readonly type: 'deliver';
  readonly job: JobId;
  readonly first: number;
  readonly count: number;
}

/** The consumer has the first `position` outcomes, in order of delivery: forget them. */
export interface ReleaseResults {
  readonly type: 'releaseResults';
  readonly job: JobId;
  readonly position: number;
}

/**
 * The producer may push until the job has `upTo` items in all. The last grant holds: it shrinks to what was pushed
 * when the bytes held for the job pass `windowBytes`, and grows again when they fall.
 */
export interface GrantItems {
  readonly type: 'grantItems';
  readonly job: JobId;
  readonly upTo: number;
}

/** How a job ended. */
export type JobOutcome =
  /** Every item has an outcome (a value or a final failure), and all were delivered. */
  | { readonly state: 'completed'; readonly succeeded: number; readonly failed: number }
  | { readonly state: 'cancelled'; readonly reason: string }
  /** `wait`: why nothing of it ran when that passed; undefined where something did. */
  | { readonly state: 'deadline'; readonly wait?: JobWait }
  /** No item can run: the function does not load, the initializer fails. The driver has the error. */
  | { readonly state: 'unrunnable' }
  /** `failFast` and an item failed. */
  | { readonly state: 'failedFast'; readonly index: number };

/** What a job waited for: why, and how many of its items did. */
export type JobWait = Required<Pick<JobProgress, 'waitingFor' | 'waitingReason'>> &
  Pick<JobProgress, 'queued'>;

/**
 * A job is over: tell its consumer. The scheduler has forgotten it; results that were delivered and not taken stay
 * with the driver until their consumer has them.
 */
export interface EndJob {
  readonly type: 'endJob';
  readonly job: JobId;
  readonly outcome: JobOutcome;
  /** What second attempts came to; undefined where there were none. */
  readonly speculation?: SpeculationTally;
  /** Tries beyond the first, of all its items together; undefined where there were none. */
  readonly retried?: number;
}

/** What second attempts at items of a pure job came to. */
export interface SpeculationTally {
  /** Items that got one. */
  readonly speculated: number;
  /** Those of them whose second attempt was first. */
  readonly speculationWins: number;
}

/** End a session that must not go on: a newer one of the same agent took its place, it was declared lost, or it lied. */
export interface EndSession {
  readonly type: 'endSession';
  readonly session: SessionId;
  readonly reason: 'superseded' | 'silent' | 'drained' | 'brokeProtocol';
  /** What cannot be of what it said; with `brokeProtocol` only. */
  readonly said?: string;
}

/** Refuse a join: an agent of that name is alive. */
export interface RefuseJoin {
  readonly type: 'refuseJoin';
  readonly session: SessionId;
  readonly agent: AgentName;
}

/** Worth a line in the log and a count in the metrics; no effect. */
export interface Note {
  readonly type: 'note';
  readonly note:
    | {
        readonly what: 'agentLost';
        readonly agent: AgentName;
        readonly silentForMs: number;
        readonly items: number;
      }
    | { readonly what: 'agentQuarantined'; readonly agent: AgentName; readonly forMs: number }
    | {
        readonly what: 'protocolBroken';
        readonly agent: AgentName;
        readonly said: string;
        readonly items: number;
      }
    | { readonly what: 'resultRefused'; readonly attempt: AttemptId; readonly items: number }
    | { readonly what: 'itemsRetried'; readonly job: JobId; readonly items: number; readonly why: string }
    | {
        readonly what: 'itemsSpeculated';
        readonly job: JobId;
        readonly items: number;
        /** Where they lag, and where they run too. */
        readonly straggler: AgentName;
        readonly agent: AgentName;
      }
    | { readonly what: 'dispatchUnconfirmed'; readonly attempt: AttemptId };
}

/** Everything the scheduler can ask for. */
export type SchedulerCommand =
  | Dispatch
  | Revoke
  | Recall
  | KeepResults
  | KeepFailure
  | ReleaseItems
  | Deliver
  | ReleaseResults
  | GrantItems
  | EndJob
  | EndSession
  | RefuseJoin
  | Note;

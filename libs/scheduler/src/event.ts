/**
 * What happens to the scheduler. Events are facts in the past tense, each with the time at which the driver saw it
 * (`atMs`, monotonic milliseconds). None carries a payload: bytes stay with the driver, by (job, item).
 */
import type { ChildDeath, ItemFailure } from './attempts/failure.ts';
import type { AgentName, AttemptId, ItemRange, JobId, SessionId } from './identity.ts';
import type { JobSpec } from './jobs/job-spec.ts';

/** A job was created; no item of it is known yet. */
export interface JobCreated {
  readonly type: 'jobCreated';
  readonly atMs: number;
  readonly job: JobId;
  readonly spec: JobSpec;
}

/** The producer handed over the next `count` items of a job, `bytes` long together. */
export interface ItemsPushed {
  readonly type: 'itemsPushed';
  readonly atMs: number;
  readonly job: JobId;
  readonly count: number;
  readonly bytes: number;
  /** Others are about to come: nothing is handed out before the next event, so that shards are no smaller than they have to be. */
  readonly more?: boolean;
}

/** The producer has no more items. */
export interface InputEnded {
  readonly type: 'inputEnded';
  readonly atMs: number;
  readonly job: JobId;
}

/** The consumer has taken the first `position` outcomes, in the order of delivery (for ordered jobs: by index). */
export interface ResultsAcknowledged {
  readonly type: 'resultsAcknowledged';
  readonly atMs: number;
  readonly job: JobId;
  readonly position: number;
}

/** Somebody wants the job to end: its consumer, an operator. */
export interface CancelRequested {
  readonly type: 'cancelRequested';
  readonly atMs: number;
  readonly job: JobId;
  readonly reason: string;
}

/** An attempt that an agent says it holds. */
export interface HeldAttempt {
  readonly attempt: AttemptId;
  readonly job: JobId;
}

/** An agent opened a session. Ends an earlier session of the same agent; attempts still held move over. */
export interface AgentJoined {
  readonly type: 'agentJoined';
  readonly atMs: number;
  readonly agent: AgentName;
  readonly session: SessionId;
  /** Processes that it runs at once. */
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  /** What items may come in; all there is if left out. */
  readonly encodings?: readonly string[];
  /**
   * Of a group's attempts it runs no more at once than `Dispatch.groupSlots` says, and has the rest wait. Left out: it
   * starts whatever it is given, and gets no more than it may start.
   */
  readonly keepsGroupSlots?: boolean;
  readonly held: readonly HeldAttempt[];
  /**
   * The session that this very process had before, where it had one. An agent that can name it takes its own name
   * back at once; a stranger under a taken name waits until the other one has been silent (`confirmMs`).
   */
  readonly resumes?: SessionId;
  /** True for the one agent of a local pool: it has no lease and cannot be lost. */
  readonly permanent: boolean;
}

/** An agent said that it lives, and which attempts it holds. */
export interface HeartbeatReceived {
  readonly type: 'heartbeatReceived';
  readonly atMs: number;
  readonly session: SessionId;
  readonly held: readonly AttemptId[];
}

/** A session's stream closed; its agent may be back within the grace time. */
export interface SessionClosed {
  readonly type: 'sessionClosed';
  readonly atMs: number;
  readonly session: SessionId;
  /**
   * True when the agent said good-bye (drained, stopped): no grace, the agent is charged nothing, and what was still on
   * its way there goes back free. It says so only once it has reported everything that had begun.
   */
  readonly orderly: boolean;
}

/** An agent takes nothing new: it drains itself (SIGTERM), or an operator asked for it. */
export interface DrainRequested {
  readonly type: 'drainRequested';
  readonly atMs: number;
  readonly agent: AgentName;
  /**
   * An operator asked: it holds for whatever process comes under that name, until `resumeRequested`. Left out: it holds
   * for this process alone.
   */
  readonly untilResumed?: boolean;
}

/** A drained agent takes work again. */
export interface ResumeRequested {
  readonly type: 'resumeRequested';
  readonly atMs: number;
  readonly agent: AgentName;
}

/** The slots of an agent changed. */
export interface SlotsChanged {
  readonly type: 'slotsChanged';
  readonly atMs: number;
  readonly session: SessionId;
  readonly slots: number;
}

/** Consecutive items of an attempt gave values. The driver holds their payload until this step's commands are done. */
export interface ItemsSucceeded {
  readonly type: 'itemsSucceeded';
  readonly atMs: number;
  readonly session: SessionId;
  readonly attempt: AttemptId;
  readonly first: number;
  readonly count: number;
  /** Size of the results. */
  readonly bytes: number;
  /** Time the child spent in the function for these items. */
  readonly runMs: number;
}

/** One item of an attempt failed, the child lives or the blame is exact. The driver may hold an error payload. */
export interface ItemFailed {
  readonly type: 'itemFailed';
  readonly atMs: number;
  readonly session: SessionId;
  readonly attempt: AttemptId;
  readonly index: number;
  readonly failure: ItemFailure;
}

/** How an attempt ended on its agent. Items of it that are not settled by then go back to the queue. */
export type AttemptEnding =
  /** Every item was reported. */
  | { readonly kind: 'finished' }
  /** Its child died, one of `suspects` was running (or had finished unseen). Other items had not started. */
  | { readonly kind: 'childDied'; readonly death: ChildDeath; readonly suspects: readonly ItemRange[] }
  /** The agent gave it back unrun or half-run: drain, revoke, no room. Nobody's fault. */
  | {
      readonly kind: 'returned';
      /** Items that may have begun to run: a second run costs them a `lost` try. All others go back free. */
      readonly started?: readonly ItemRange[];
    }
  /** The function could not be loaded or the initializer failed: no item of this job can run there. */
  | { readonly kind: 'unrunnable' };

/** An attempt is over on its agent. */
export interface AttemptEnded {
  readonly type: 'attemptEnded';
  readonly atMs: number;
  readonly session: SessionId;
  readonly attempt: AttemptId;
  readonly ending: AttemptEnding;
}

/** A session said what cannot be, and the driver has seen it: what else it says is not believed either. */
export interface ProtocolBroken {
  readonly type: 'protocolBroken';
  readonly atMs: number;
  readonly session: SessionId;
  /** What it said, in words. */
  readonly reason: string;
}

/** The driver's event loop stood still; nobody is judged for that time. */
export interface StallObserved {
  readonly type: 'stallObserved';
  readonly atMs: number;
  readonly stalledMs: number;
}

/** `nextDeadlineMs()` was reached. */
export interface ClockTicked {
  readonly type: 'clockTicked';
  readonly atMs: number;
}

/** Everything that can happen. */
export type SchedulerEvent =
  | JobCreated
  | ItemsPushed
  | InputEnded
  | ResultsAcknowledged
  | CancelRequested
  | AgentJoined
  | HeartbeatReceived
  | SessionClosed
  | DrainRequested
  | ResumeRequested
  | SlotsChanged
  | ItemsSucceeded
  | ItemFailed
  | AttemptEnded
  | ProtocolBroken
  | StallObserved
  | ClockTicked;

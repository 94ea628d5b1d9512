/** What the scheduler shows of itself: plain data, made when it is asked for. */
import type { AgentName, JobId, SessionId } from './identity.ts';

/** Why a job has items and none of them runs. */
export type WaitingReason =
  | 'noAgents'
  | 'noAgentHasLabel'
  | 'noAgentAcceptsEncoding'
  | 'agentsDraining'
  | 'agentsReconnecting'
  | 'agentsSetAside'
  | 'slotsBusy'
  | 'pausedByConsumer'
  | 'groupShareInUse'
  | 'retry'
  | 'memory'
  | 'input';

/** What keeps the producer of a job from pushing: `JobSpec` has an option of that name. */
export type HoldingWindow = 'windowItems' | 'windowBytes';

/** Where a job stands. */
export interface JobProgress {
  /** The number of items, once it is known. */
  readonly total: number | undefined;
  readonly pushed: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Items on an agent and without an outcome. */
  readonly running: number;
  /** Items that wait: for a slot, for their retry. */
  readonly queued: number;
  /** Tries after the first one, over all items. */
  readonly retried: number;
  /** Items of a pure job that were given to a second agent to beat a straggler. */
  readonly speculated: number;
  /** Those of them whose second attempt was first. */
  readonly speculationWins: number;
  readonly delivered: number;
  readonly acknowledged: number;
  /**
   * Why nothing of it runs, or why nothing more of it starts (`memory`); undefined while it comes on, or nothing is left
   * to run.
   */
  readonly waitingReason?: WaitingReason;
  /** The same in words, such as `no agent has label gpu=1`. */
  readonly waitingFor?: string;
}

/** A job in a snapshot. */
export interface JobSnapshot extends JobProgress {
  readonly job: JobId;
  readonly priority: number;
  readonly group: string;
  /** Attempts that agents hold of it. */
  readonly attempts: number;
  /** Bytes of items and results held for it. */
  readonly itemBytes: number;
  readonly resultBytes: number;
}

/** An agent in a snapshot. */
export interface AgentSnapshot {
  readonly agent: AgentName;
  readonly session: SessionId;
  readonly state: 'live' | 'reconnecting' | 'draining' | 'setAside';
  readonly slots: number;
  /** Attempts that it holds. */
  readonly attempts: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly permanent: boolean;
  /** Since its last sign of life; 0 for a permanent agent. */
  readonly silentForMs: number;
}

/** Totals since the scheduler began. */
export interface SchedulerTotals {
  readonly events: number;
  readonly dispatches: number;
  readonly jobsEnded: number;
  readonly itemsSucceeded: number;
  readonly itemsFailed: number;
  readonly itemsRetried: number;
  /** Items of results that were fenced off or came twice. */
  readonly itemsRefused: number;
  readonly agentsLost: number;
  /** Items that got a second attempt to beat a straggler, and those of them whose second attempt was first. */
  readonly itemsSpeculated: number;
  readonly speculationWins: number;
}

/** Everything at one moment. */
export interface SchedulerSnapshot {
  readonly atMs: number;
  readonly agents: readonly AgentSnapshot[];
  readonly jobs: readonly JobSnapshot[];
  readonly totals: SchedulerTotals;
}

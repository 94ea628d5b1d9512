/** The pure scheduler: an event goes in, commands come out. */

export type * from './attempts/failure.ts';
export type * from './command.ts';
export type * from './event.ts';
export type * from './identity.ts';
export { defaultRetries, type JobSpec, type RetryBudgets } from './jobs/job-spec.ts';
export { pausedByConsumerText } from './jobs/waiting.ts';
export { defaultSchedulerOptions, type SchedulerOptions, schedulerOptions } from './options.ts';
export {
  type ItemBlock,
  type Outcome,
  PayloadStore,
  type PayloadWatch,
  type ResultBytes,
} from './payload-store.ts';
export { Scheduler } from './scheduler.ts';
export type {
  AgentSnapshot,
  HoldingWindow,
  JobProgress,
  JobSnapshot,
  SchedulerSnapshot,
  SchedulerTotals,
  WaitingReason,
} from './snapshot.ts';

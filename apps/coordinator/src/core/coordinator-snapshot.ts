import type { SchedulerSnapshot } from '@shoal/scheduler';
import type { JobView } from './job-record.ts';

/** Everything at one moment. */
export interface CoordinatorSnapshot {
  /** Those that clients can ask for, ended ones too, the oldest first. */
  readonly jobs: readonly JobView[];
  /** Agents that are connected, or whose names are remembered. */
  readonly namesKnown: number;
  readonly scheduler: SchedulerSnapshot;
}

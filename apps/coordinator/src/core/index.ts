/** The pure core of the coordinator: an event goes in, commands come out. */
export type * from './coordinator-command.ts';
export type * from './coordinator-event.ts';
export { type CoordinatorLimits, defaultEndedJobsMax } from './coordinator-limits.ts';
export { CoordinatorMachine, type HoldingLimit } from './coordinator-machine.ts';
export type { CoordinatorSnapshot } from './coordinator-snapshot.ts';
export type { JobView } from './job-record.ts';

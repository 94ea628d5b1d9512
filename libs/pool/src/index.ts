/** The local pool, the interface that every pool has, and the process pool that agents run. */

export { ChildPool, type ChildPoolOptions, type ChildPoolStats } from './child-pool/child-pool.ts';
export {
  checkOpenings,
  childSetupOf,
  type InitArgs,
  initArgsOf,
  optionsOf,
} from './child-pool/child-setup.ts';
export type * from './child-pool/chunk-request.ts';
export type { OutputLimits } from './child-pool/output-limits.ts';
export { PrintWriter } from './child-pool/print-writer.ts';
export type * from './job-backend.ts';
export { sweepUser } from './launchers/end-user.ts';
export {
  type Isolation,
  type IsolationLevel,
  isolationLevels,
  openingVariable,
  stricter,
} from './launchers/isolation.ts';
export { reaper } from './launchers/reaper.ts';
export { setprivArguments, setprivPaths } from './launchers/spawn.ts';
export type * from './map-pool.ts';
// For the options of other backends.
export { abortSignal, flag, type OptionCheck, readOnce, wholeNumber } from './options/option-checks.ts';
export { checkPoolOptions, poolOptionNames } from './options/option-table.ts';
export type {
  MapOptions,
  MapProgress,
  ModuleOptions,
  PoolOptions,
  RetryOptions,
  StreamOptions,
  SubmitOptions,
} from './options/options.ts';
export { usableCpus } from './options/usable-cpus.ts';
export { Pool } from './pool.ts';
export type { Job, WaitOptions } from './surface/job.ts';
export type { JobEventName, JobEvents, JobListener } from './surface/job-events.ts';
export { type SurfaceOptions, surfaceOver } from './surface/surface.ts';
export { current, type TaskContext } from './task/current.ts';
export { type ModuleMeta, task } from './task/task.ts';
export { resolveTask } from './task/task-function.ts';
export type { Broadcast } from './values/broadcast.ts';
// For other backends: what `new Pool()` does with its options, and what came of a thrown value.
export { broadcastStore } from './values/broadcast-store.ts';
export { rebuildThrown } from './values/rebuilt-error.ts';
export { decodeError } from './values/remote-error.ts';

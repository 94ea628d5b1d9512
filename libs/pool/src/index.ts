/** The local pool, the interface that every pool has, and the process pool that agents run. */

// For other backends: what `new Pool()` does with its options, and what came of a thrown value.
export { broadcastStore } from './broadcast-store.ts';
export { ChildPool, type ChildPoolOptions, type ChildPoolStats } from './child-pool.ts';
export { checkOpenings, childSetupOf, type InitArgs, initArgsOf, optionsOf } from './child-setup.ts';
export type * from './chunk-request.ts';
export { current, type TaskContext } from './current.ts';
export {
  type Isolation,
  type IsolationLevel,
  isolationLevels,
  openingVariable,
  stricter,
} from './isolation.ts';
export type * from './job-backend.ts';
export { endUser } from './launchers/end-user.ts';
export { setprivArguments, setprivPaths } from './launchers/spawn.ts';
export type * from './map-pool.ts';
export { checkPoolOptions, poolOptionNames } from './option-table.ts';
export type {
  MapOptions,
  MapProgress,
  ModuleOptions,
  PoolOptions,
  RetryOptions,
  StreamOptions,
  SubmitOptions,
} from './options.ts';
export type { OutputLimits } from './output-limits.ts';
export { Pool } from './pool.ts';
export { PrintWriter } from './print-writer.ts';
export { reaper } from './reaper.ts';
export type { Job, WaitOptions } from './surface/job.ts';
export type { JobEventName, JobEvents, JobListener } from './surface/job-events.ts';
export { type SurfaceOptions, surfaceOver } from './surface/surface.ts';
export { type ModuleMeta, task } from './task.ts';
export { resolveTask } from './task-function.ts';
export { usableCpus } from './usable-cpus.ts';
export type { Broadcast } from './values/broadcast.ts';
export { rebuildThrown } from './values/rebuilt-error.ts';
export { decodeError } from './values/remote-error.ts';

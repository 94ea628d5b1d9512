export { type CoordinatorConfig, checkConfig } from './config.ts';
export { type Coordinator, type CoordinatorStatus, startCoordinator } from './coordinator.ts';
export type { Log } from './log.ts';

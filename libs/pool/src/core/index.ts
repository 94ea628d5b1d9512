/** The pure core of the process pool: an event goes in, commands come out. */
export type * from './chunk.ts';
export type * from './pool-command.ts';
export type * from './pool-event.ts';
export { defaultLimits, type PoolMachineLimits } from './pool-limits.ts';
export { PoolMachine } from './pool-machine.ts';
export type { PoolSnapshot } from './pool-snapshot.ts';

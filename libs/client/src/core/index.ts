/** The pure core of a client's side of a job: an event goes in, commands come out. */
export type * from './client-command.ts';
export type * from './client-event.ts';
export type { ClientLimits } from './client-limits.ts';
export { ClientMachine, type ClientSnapshot } from './client-machine.ts';
export { Chance, Jitter } from './jitter.ts';
export { Outage } from './outage.ts';

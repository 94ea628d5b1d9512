/** The pure core of the coordinator: an event goes in, commands come out. */
export type * from './coordinator-command.ts';
export type * from './coordinator-event.ts';

/** The pure core of a client's side of a job: an event goes in, commands come out. */
export type * from './client-command.ts';
export type * from './client-event.ts';

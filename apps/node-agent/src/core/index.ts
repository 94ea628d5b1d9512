export type * from './agent-command.ts';
export type * from './agent-event.ts';

export type * from './agent-command.ts';
export type * from './agent-event.ts';
export { type AgentLimits, defaultLimits } from './agent-limits.ts';
export { AgentMachine, type AgentMachineOptions } from './agent-machine.ts';
export type { AgentSnapshot, AttemptSnapshot } from './agent-snapshot.ts';

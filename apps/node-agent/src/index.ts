export { type Agent, startAgent } from './agent.ts';
export type { AcceptedEncoding, AgentConfig } from './config.ts';
export { checkIsolation } from './isolation-check.ts';
export type { Log } from './log.ts';

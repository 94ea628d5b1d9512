export { type Agent, startAgent } from './agent.ts';
export type { AcceptedEncoding, AgentConfig } from './config.ts';
export type { Log } from './log.ts';

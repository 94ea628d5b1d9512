export { type Agent, startAgent } from './agent.ts';
export { type AcceptedEncoding, type AgentConfig, checkConfig } from './config.ts';
export { checkIsolation } from './isolation/isolation-check.ts';
export type { Log } from './log.ts';

/** An agent as a process of its own, so that a test can kill it: `node agent-main.ts '{"join": …}'`. */
import { type AgentConfig, startAgent } from '@shoal/node-agent';

const agent = await startAgent(JSON.parse(process.argv[2] ?? '{}') as AgentConfig);
process.on('SIGTERM', () => void agent.close());
void agent.joined.then(() => console.log('joined'));
const failure = await agent.ended;
process.exitCode = failure === undefined ? 0 : 1;

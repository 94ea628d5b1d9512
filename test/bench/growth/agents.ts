// Agents, as many as wanted, in one process: `node agents.ts ADDRESS COUNT`. Says `joined` when all of them are in, and
// ends with its parent. Each has a child process of its own; 64 agents as processes would be 128 of them.
import { startAgent } from '@shoal/node-agent';
import { pino } from 'pino';

const [join = '', count = ''] = process.argv.slice(2);
// Each agent listens for the end of the process.
process.setMaxListeners(0);
const log = pino({ level: 'error' }, process.stderr);
const names = Array.from({ length: Number(count) }, (_, index) => `agent-${index + 1}`);
const agents = await Promise.all(names.map((name) => startAgent({ join, name, processes: 1, log })));
await Promise.all(agents.map(({ joined }) => joined));
process.stdout.write('joined\n');
process.stdin.resume();
process.stdin.on('end', async () => {
  await Promise.all(agents.map((agent) => agent.close({ drain: false })));
  process.exit();
});

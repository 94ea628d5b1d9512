/**
 * Many agents in one process: `node agents-main.ts ADDRESS COUNT`. Each is a whole agent with a name, a connection and a
 * slot of its own; what they share is a process, so that a small machine can hold hundreds. They start children only for work.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from '@shoal/node-agent';
import { pino } from 'pino';

const [join = '', count = ''] = process.argv.slice(2);
const log = pino({ base: null, level: 'info' }, pino.destination({ fd: 2, sync: true }));
const agents = await Promise.all(
  Array.from({ length: Number(count) }, async (_, index) => {
    // Machines are not switched on in the same millisecond; it is their return that is.
    await sleep(index * 10);
    return startAgent({ join, name: `light-${index + 1}`, processes: 1, log });
  }),
);
process.once('SIGTERM', async () => {
  await Promise.all(agents.map((agent) => agent.close()));
});

import { fileURLToPath } from 'node:url';
import { shoalCluster } from '../peers/shoal-cluster.ts';
import type { Workload } from '../workload.ts';

const script = fileURLToPath(new URL('../stream-memory.ts', import.meta.url));

/** Ten million items through imap: the most memory that the coordinator ever had. */
export const streamMemory: Workload = {
  name: 'stream-memory',
  title: 'Cluster: peak memory of the coordinator, a stream of 10 million items',
  figure: 'memory',
  task: 'increment',
  items: { full: 10_000_000, small: 20_000 },
  contenders: [
    {
      peer: shoalCluster,
      mode: 'items',
      label: 'Shoal coordinator',
      command: (setting) => [process.execPath, ...process.execArgv, script, JSON.stringify(setting)],
    },
  ],
  goals: [{ atMost: 150 }],
};

import { fileURLToPath } from 'node:url';
import { onCluster } from './cluster.ts';
import { ClusterProcesses } from './cluster-processes.ts';
import { leftovers, markProcesses } from './leftovers.ts';
import { oneMachine } from './one-machine.ts';
import { onRealInput } from './real-input.ts';
import { check, inSeconds, timed } from './stopwatch.ts';

// What `npm run demo` runs.
markProcesses();
// stripTypeScriptTypes calls itself experimental once in each process; here that is no news.
process.removeAllListeners('warning');

const { seconds } = await timed(async () => {
  console.log('1. One machine: seven immutable records, a pure function that takes a second');
  const ages = await oneMachine();

  console.log('\n2. A cluster: a coordinator and three agents, five lines of setup away');
  const cluster = await ClusterProcesses.start(['agent-1', 'agent-2', 'agent-3'], 2);
  try {
    await onCluster(cluster, ages);

    console.log('\n3. Real input on the two agents that are left');
    await onRealInput(cluster, fileURLToPath(new URL('../../node_modules', import.meta.url)));
  } finally {
    await cluster.stop();
  }
});

console.log('');
const left = await leftovers(3000);
if (left !== undefined) check(left.length === 0, 'every process is gone');
console.log(`
Done in ${inSeconds(seconds)}. Now try:

  seq 1 100000 | npx shoal map examples/square.ts#square | tail -3
  npx shoal dev                                a cluster on this machine, for your own code
  npx shoal map --help
  less examples/scientists/main.ts             the first act in 20 lines
`);

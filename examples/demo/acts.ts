import { fileURLToPath } from 'node:url';
import { onCluster } from './cluster.ts';
import { ClusterProcesses } from './cluster-processes.ts';
import { oneMachine } from './one-machine.ts';
import { onRealInput } from './real-input.ts';

// stripTypeScriptTypes calls itself experimental once in each process; here that is no news.
process.removeAllListeners('warning');

console.log('1. One machine: seven immutable records, a pure function that takes a second');
const ages = await oneMachine();

console.log('\n2. A cluster: a coordinator and three agents of two processes each, connected by gRPC');
const cluster = await ClusterProcesses.start(['agent-1', 'agent-2', 'agent-3'], 2);
try {
  await onCluster(cluster, ages);

  console.log('\n3. Real input, on the two agents that are left');
  await onRealInput(cluster, fileURLToPath(new URL('../../node_modules', import.meta.url)));
} finally {
  await cluster.stop();
}

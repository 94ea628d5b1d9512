import { ClusterProcesses } from '../../../examples/demo/cluster-processes.ts';
import { type Peer, type Setting, shoalPeer, tasksUrl } from '../peer.ts';

/** Shoal's cluster: a coordinator and agents of one process each, all on this machine, over gRPC. */
export const shoalCluster: Peer = shoalPeer('Shoal cluster', 'shoal-cluster');

export async function start({ task, mode, processes }: Setting) {
  const { connect } = await import('shoal');
  const names = Array.from({ length: processes }, (_, index) => `agent-${index + 1}`);
  const cluster = await ClusterProcesses.start(names, 1);
  const pool = await connect(cluster.address);
  const options = { export: task, ...(mode === 'single' ? { chunkSize: 1 } : {}) };
  return {
    map: (items: readonly unknown[]) => pool.map(tasksUrl, items, options),
    close: async () => {
      await pool.terminate();
      await cluster.stop();
    },
  };
}

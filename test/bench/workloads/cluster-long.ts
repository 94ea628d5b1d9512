import { bareNode } from '../peers/bare-node.ts';
import { dask } from '../peers/dask.ts';
import { shoalCluster } from '../peers/shoal-cluster.ts';
import type { Workload } from '../workload.ts';

/**
 * Ten times the job of `cluster-millisecond`: what is left of its loss here is that of every second, and what is gone was
 * the beginning's and the end's. Bare Node is everybody's ideal: Python's hash is the same code of OpenSSL.
 */
export const clusterLong: Workload = {
  name: 'cluster-long',
  title: 'Cluster: 1 ms of SHA-256 an item, a job of ten seconds, efficiency',
  figure: 'efficiency',
  task: 'hash',
  items: { full: 20_000, small: 40 },
  // As many as the short job has: after that the code is compiled, and a whole map more would cost minutes.
  warmUpItems: 2_000,
  contenders: [
    { peer: shoalCluster, mode: 'items', ideal: 'bare Node processes' },
    // What these two reach does not depend on how long they work, and ten seconds of each of them would be minutes in all.
    { peer: dask, mode: 'chunks', label: 'Dask bag', share: 0.25, ideal: 'bare Node processes' },
    { peer: bareNode, mode: 'items', share: 0.2, ideal: 'bare Node processes' },
  ],
  goals: [{ atLeast: 95 }],
};

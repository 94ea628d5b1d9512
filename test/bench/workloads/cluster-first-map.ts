import { bullmq } from '../peers/bullmq.ts';
import { dask } from '../peers/dask.ts';
import { shoalCluster } from '../peers/shoal-cluster.ts';
import type { Workload } from '../workload.ts';

/** The map of `cluster-increment` where it is the first that a cluster has: what V8 compiles meanwhile is in it. */
export const clusterFirstMap: Workload = {
  name: 'cluster-first-map',
  title: 'Cluster: x + 1, the first map of a cluster',
  figure: 'rate',
  task: 'increment',
  items: { full: 100_000, small: 200 },
  // Enough for processes that run, with the time that the second one may still need; nothing is compiled by it.
  warmUpItems: 2,
  restMs: 500,
  contenders: [
    { peer: shoalCluster, mode: 'items' },
    { peer: bullmq, mode: 'chunks', label: 'BullMQ, chunks by hand' },
    { peer: dask, mode: 'chunks', label: 'Dask bag', share: 0.5 },
  ],
  goals: [],
};

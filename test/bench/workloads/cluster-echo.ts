import { bullmq } from '../peers/bullmq.ts';
import { dask } from '../peers/dask.ts';
import { mpi4py } from '../peers/mpi4py.ts';
import { ray } from '../peers/ray.ts';
import { shoalCluster } from '../peers/shoal-cluster.ts';
import type { Workload } from '../workload.ts';

/** 10 KiB there and 10 KiB back, four hops each way. */
export const clusterEcho: Workload = {
  name: 'cluster-echo',
  title: 'Cluster: echo of 10 KiB strings',
  figure: 'rate',
  task: 'echo',
  items: { full: 3_000, small: 40 },
  contenders: [
    { peer: shoalCluster, mode: 'items' },
    { peer: bullmq, mode: 'chunks', label: 'BullMQ, chunks by hand' },
    { peer: bullmq, mode: 'single', label: 'BullMQ, a job an item', share: 0.2 },
    { peer: dask, mode: 'chunks', label: 'Dask bag' },
    { peer: ray, mode: 'items' },
    { peer: mpi4py, mode: 'chunks' },
  ],
  goals: [{ against: 'Dask bag', atLeast: 2 }],
};

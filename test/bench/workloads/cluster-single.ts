import { bullmq } from '../peers/bullmq.ts';
import { celery } from '../peers/celery.ts';
import { dask } from '../peers/dask.ts';
import { mpi4py } from '../peers/mpi4py.ts';
import { ray } from '../peers/ray.ts';
import { shoalCluster } from '../peers/shoal-cluster.ts';
import type { Workload } from '../workload.ts';

/** One item a chunk: what a chunk costs on its way through all hops. */
export const clusterSingle: Workload = {
  name: 'cluster-single',
  title: 'Cluster: x + 1, one item a chunk',
  figure: 'rate',
  task: 'increment',
  items: { full: 5_000, small: 40 },
  contenders: [
    { peer: shoalCluster, mode: 'single' },
    { peer: bullmq, mode: 'single', label: 'BullMQ, a job an item' },
    { peer: dask, mode: 'single', label: 'Dask client.map', share: 0.1 },
    { peer: celery, mode: 'single', label: 'Celery, a task an item', share: 0.05 },
    { peer: ray, mode: 'single' },
    { peer: mpi4py, mode: 'single' },
  ],
  goals: [
    { against: 'Dask client.map', atLeast: 8 },
    { against: 'BullMQ, a job an item', atLeast: 2 },
    { against: 'Ray Pool', atLeast: 1.5 },
  ],
};

import { bullmq } from '../peers/bullmq.ts';
import { celery } from '../peers/celery.ts';
import { dask } from '../peers/dask.ts';
import { mpi4py } from '../peers/mpi4py.ts';
import { ray } from '../peers/ray.ts';
import { shoalCluster } from '../peers/shoal-cluster.ts';
import type { Workload } from '../workload.ts';

/** Nothing to do, 100,000 times, through a coordinator, agents and gRPC. Who takes one item at a time is in `cluster-single`. */
export const clusterIncrement: Workload = {
  name: 'cluster-increment',
  title: 'Cluster: x + 1',
  figure: 'rate',
  task: 'increment',
  items: { full: 100_000, small: 200 },
  contenders: [
    { peer: shoalCluster, mode: 'items' },
    { peer: bullmq, mode: 'chunks', label: 'BullMQ, chunks by hand' },
    { peer: dask, mode: 'chunks', label: 'Dask bag', share: 0.5 },
    { peer: celery, mode: 'chunks', label: 'Celery chunks' },
    { peer: ray, mode: 'items' },
    { peer: mpi4py, mode: 'chunks', label: 'mpi4py, chunks by hand' },
  ],
  goals: [
    { atLeast: 1_000_000 },
    { against: 'BullMQ, chunks by hand', atLeast: 1.5 },
    { against: 'Dask bag', atLeast: 30 },
    { against: 'Celery chunks', atLeast: 8 },
  ],
};

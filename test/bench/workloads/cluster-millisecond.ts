import { bareNode } from '../peers/bare-node.ts';
import { bullmq } from '../peers/bullmq.ts';
import { celery } from '../peers/celery.ts';
import { barePython } from '../peers/cpython.ts';
import { dask } from '../peers/dask.ts';
import { mpi4py } from '../peers/mpi4py.ts';
import { ray } from '../peers/ray.ts';
import { shoalCluster } from '../peers/shoal-cluster.ts';
import type { Workload } from '../workload.ts';

/** A millisecond of SHA-256 an item, through a cluster. */
export const clusterMillisecond: Workload = {
  name: 'cluster-millisecond',
  title: 'Cluster: 1 ms of SHA-256 an item, efficiency',
  figure: 'efficiency',
  task: 'hash',
  items: { full: 2_000, small: 40 },
  contenders: [
    { peer: shoalCluster, mode: 'items', ideal: 'bare Node processes' },
    {
      peer: bullmq,
      mode: 'chunks',
      label: 'BullMQ, chunks by hand',
      ideal: 'bare Node processes',
    },
    {
      peer: bullmq,
      mode: 'single',
      label: 'BullMQ, a job an item',
      share: 0.5,
      ideal: 'bare Node processes',
    },
    { peer: dask, mode: 'chunks', label: 'Dask bag', ideal: 'bare Python processes' },
    {
      peer: dask,
      mode: 'single',
      label: 'Dask client.map',
      share: 0.1,
      ideal: 'bare Python processes',
    },
    { peer: celery, mode: 'chunks', label: 'Celery chunks', ideal: 'bare Python processes' },
    { peer: ray, mode: 'items', ideal: 'bare Python processes' },
    { peer: mpi4py, mode: 'chunks', ideal: 'bare Python processes' },
    { peer: bareNode, mode: 'items', ideal: 'bare Node processes' },
    { peer: barePython, mode: 'items', ideal: 'bare Python processes' },
  ],
  goals: [{ atLeast: 95 }],
};

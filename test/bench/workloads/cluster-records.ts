import { bullmq } from '../peers/bullmq.ts';
import { celery } from '../peers/celery.ts';
import { dask } from '../peers/dask.ts';
import { shoalCluster } from '../peers/shoal-cluster.ts';
import type { Workload } from '../workload.ts';

/** Small records through a cluster: what most people map over. Numbers, which Shoal sends as typed arrays, flatter it. */
export const clusterRecords: Workload = {
  name: 'cluster-records',
  title: 'Cluster: small records',
  figure: 'rate',
  task: 'rescore',
  items: { full: 50_000, small: 200 },
  contenders: [
    { peer: shoalCluster, mode: 'items' },
    { peer: bullmq, mode: 'chunks', label: 'BullMQ, chunks by hand' },
    { peer: dask, mode: 'chunks', label: 'Dask bag', share: 0.5 },
    { peer: celery, mode: 'chunks', label: 'Celery chunks' },
  ],
  goals: [],
};

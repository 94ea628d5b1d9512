import { shoalCluster } from '../peers/shoal-cluster.ts';
import { shoalClusterTls } from '../peers/shoal-cluster-tls.ts';
import type { Workload } from '../workload.ts';

/** 64 KiB there and back: what certificates and encryption on all four hops cost. */
export const clusterTls: Workload = {
  name: 'cluster-tls',
  title: 'Cluster: echo of 64 KiB strings, with certificates and without',
  figure: 'rate',
  task: 'echoLarge',
  // Two seconds of them: of half a second each, the ratios of five runs went from 0.67 to 0.99.
  items: { full: 1_500, small: 20 },
  contenders: [
    { peer: shoalClusterTls, mode: 'items' },
    { peer: shoalCluster, mode: 'items', label: 'Shoal cluster, plain text' },
  ],
  goals: [{ against: 'Shoal cluster, plain text', atLeast: 0.8 }],
};

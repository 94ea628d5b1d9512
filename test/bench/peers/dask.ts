import type { Peer } from '../peer.ts';
import { pythonPeer } from './python.ts';

/** Dask: a scheduler and workers of one thread each. */
export const dask: Peer = pythonPeer('Dask', {
  file: 'dask_cluster.py',
  modules: 'dask.bag, distributed',
  version: 'distributed.__version__',
  install: 'apt-get install python3-dask python3-distributed',
});

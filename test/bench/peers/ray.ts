import type { Peer } from '../peer.ts';
import { pythonPeer } from './python.ts';

/** Ray's Pool, which has the interface of CPython's. */
export const ray: Peer = pythonPeer('Ray Pool', {
  file: 'ray_pool.py',
  modules: 'ray.util.multiprocessing',
  version: 'ray.__version__',
  install: 'pip install ray',
});

import type { Peer } from '../peer.ts';
import { pythonPeer } from './python.ts';

const itself = { modules: 'sys', version: 'sys.version.split()[0]', install: 'apt-get install python3' };

/** CPython's multiprocessing.Pool. */
export const cpythonPool: Peer = pythonPeer('CPython Pool', { file: 'cpython_pool.py', ...itself });

/** CPython's ProcessPoolExecutor. */
export const cpythonExecutor: Peer = pythonPeer('ProcessPoolExecutor', {
  file: 'cpython_executor.py',
  ...itself,
});

/** No pool at all, in Python. */
export const barePython: Peer = pythonPeer('bare Python processes', { file: 'bare_python.py', ...itself });

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Peer } from '../peer.ts';

/** Debian's own Python knows Debian's packages, whatever other python3 comes first on the PATH. */
const candidates = ['python3', '/usr/bin/python3'];

/** The first Python that can import these modules, and what it says of itself. */
function pythonWith(modules: string, version: string): { path: string; version: string } | undefined {
  for (const path of candidates) {
    const code = `import sys, ${modules}\nprint(${version})`;
    const { status, stdout } = spawnSync(path, ['-c', code], { encoding: 'utf8', timeout: 60_000 });
    if (status === 0) return { path, version: stdout.trim() };
  }
  return undefined;
}

/** A peer in Python: `peers/FILE.py` does what measure.ts does. */
function pythonPeer(name: string, file: string, modules: string, version: string, missing: string): Peer {
  const script = fileURLToPath(new URL(file, import.meta.url));
  let found: ReturnType<typeof pythonWith>;
  const look = () => {
    found ??= pythonWith(modules, version);
    return found;
  };
  return {
    name,
    find: () => {
      const python = look();
      return python === undefined ? { missing } : { version: python.version };
    },
    command: (setting) => [look()?.path ?? 'python3', script, JSON.stringify(setting)],
  };
}

const ofCPython = ['multiprocessing', 'sys.version.split()[0]', 'python3 is not installed'] as const;

/** CPython's multiprocessing.Pool. */
export const cpythonPool: Peer = pythonPeer('CPython Pool', 'cpython_pool.py', ...ofCPython);

/** CPython's ProcessPoolExecutor. */
export const cpythonExecutor: Peer = pythonPeer('ProcessPoolExecutor', 'cpython_executor.py', ...ofCPython);

/** No pool at all, in Python. */
export const barePython: Peer = pythonPeer('bare Python processes', 'bare_python.py', ...ofCPython);

/** Dask. */
export const dask: Peer = pythonPeer(
  'Dask',
  'dask_cluster.py',
  'dask.bag, distributed',
  'distributed.__version__',
  'no python3 here has dask and distributed (apt-get install python3-dask python3-distributed)',
);

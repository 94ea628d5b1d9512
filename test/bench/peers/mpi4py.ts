import { spawnSync } from 'node:child_process';
import type { Peer } from '../peer.ts';
import { pythonPeer } from './python.ts';

/** mpi4py's MPIPoolExecutor: one process hands out, the others work. */
export const mpi4py: Peer = pythonPeer('mpi4py', {
  file: 'mpi_executor.py',
  modules: 'mpi4py',
  version: 'mpi4py.__version__',
  install: 'apt-get install python3-mpi4py',
  needs: () => {
    const { status, stdout } = spawnSync('mpiexec', ['--version'], { encoding: 'utf8' });
    // Its options are those of Open MPI, which is what Debian's mpi4py is built for.
    if (status !== 0 || !stdout.includes('OpenRTE')) {
      return { missing: 'mpiexec of Open MPI is not installed (apt-get install openmpi-bin)' };
    }
    return { version: 'Open MPI' };
  },
  argv: (python, script, setting, processes) => [
    'mpiexec',
    '--allow-run-as-root',
    '--oversubscribe',
    '-n',
    String(processes + 1),
    python,
    '-m',
    'mpi4py.futures',
    script,
    setting,
  ],
});

"""mpi4py's MPIPoolExecutor, under `mpiexec -n PROCESSES+1 python3 -m mpi4py.futures`: one process hands out."""
from mpi4py.futures import MPIPoolExecutor

from tasks import measure


def start(setting):
    processes = setting["processes"]
    executor = MPIPoolExecutor(processes)

    def run(function, items):
        # Its default is one item a chunk; by hand, as many as CPython's Pool would cut.
        chunk = 1 if setting["mode"] == "single" else -(-len(items) // (4 * processes))
        return list(executor.map(function, items, chunksize=chunk))

    return run, executor.shutdown


if __name__ == "__main__":
    measure(start)

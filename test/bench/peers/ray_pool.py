"""Ray's Pool: the interface of multiprocessing.Pool, on a Ray of our own on this machine."""
import ray
from ray.util.multiprocessing import Pool

from tasks import measure


def start(setting):
    processes = setting["processes"]
    ray.init(num_cpus=processes, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    pool = Pool(processes)
    chunk = 1 if setting["mode"] == "single" else None

    def close():
        pool.terminate()
        ray.shutdown()

    return (lambda function, items: pool.map(function, items, chunksize=chunk)), close


if __name__ == "__main__":
    measure(start)

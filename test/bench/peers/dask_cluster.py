"""Dask: a scheduler and workers on this machine, one thread each."""
import dask.bag
from distributed import Client, LocalCluster

from tasks import measure


def start(setting):
    processes = setting["processes"]
    cluster = LocalCluster(n_workers=processes, threads_per_worker=1, processes=True, dashboard_address=None)
    client = Client(cluster)

    def bag(function, items):
        return dask.bag.from_sequence(items, npartitions=min(len(items), 4 * processes)).map(function).compute()

    def one_by_one(function, items):
        # `pure=False`: equal calls would otherwise be one call.
        return client.gather(client.map(function, items, pure=False))

    def close():
        client.close()
        cluster.close()

    return (bag if setting["mode"] == "chunks" else one_by_one), close


if __name__ == "__main__":
    measure(start)

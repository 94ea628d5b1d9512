"""CPython's multiprocessing.Pool."""
import multiprocessing

from tasks import measure


def start(setting):
    mode = setting["mode"]
    fresh = mode.startswith("fresh")
    context = multiprocessing.get_context("spawn" if mode == "freshSpawn" else "fork")
    pool = context.Pool(setting["processes"], maxtasksperchild=1 if fresh else None)
    chunk = 1 if fresh or mode == "single" else None
    return (lambda function, items: pool.map(function, items, chunksize=chunk)), pool.terminate


if __name__ == "__main__":
    measure(start)

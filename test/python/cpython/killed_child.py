"""A child is killed while it runs an item."""
import os, signal
from multiprocessing import Pool

def work(x):
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return x * x

if __name__ == "__main__":
    with Pool(2) as pool:
        print("begun", flush=True)
        print(pool.map(work, range(10), chunksize=1), flush=True)
        print("done", flush=True)

"""A task ends its process."""
import os
from multiprocessing import Pool

def work(x):
    if x == 3:
        os._exit(3)
    return x * x

if __name__ == "__main__":
    with Pool(2) as pool:
        print("begun", flush=True)
        print(pool.map(work, range(10), chunksize=1), flush=True)
        print("done", flush=True)

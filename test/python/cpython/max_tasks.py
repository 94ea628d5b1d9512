"""maxtasksperchild=2 with chunks of 3: how many items does each child run?"""
import collections, json, os
from multiprocessing import Pool

def who(x):
    return os.getpid()

if __name__ == "__main__":
    print("begun", flush=True)
    with Pool(1, maxtasksperchild=2) as pool:
        counts = collections.Counter(pool.map(who, range(12), chunksize=3))
    print(json.dumps(sorted(counts.values())), flush=True)
    print("done", flush=True)

"""map with a chunk size of 0."""
import json
from multiprocessing import Pool

def work(x):
    return x * x

if __name__ == "__main__":
    print("begun", flush=True)
    with Pool(1) as pool:
        try:
            print(json.dumps(pool.map(work, [1, 2, 3], chunksize=0)), flush=True)
        except ValueError as error:
            print(f"ValueError: {error}", flush=True)
    print("done", flush=True)

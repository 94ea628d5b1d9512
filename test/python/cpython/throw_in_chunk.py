"""An item throws: which items of its chunk run?"""
import json, sys
from multiprocessing import Pool

def work(order):
    path, x = order
    with open(path, "a") as book:
        book.write(f"{x}\n")
    if x == 1:
        raise ValueError(x)
    return x

if __name__ == "__main__":
    path = sys.argv[1]
    print("begun", flush=True)
    with Pool(1) as pool:
        try:
            pool.map(work, [(path, x) for x in range(6)], chunksize=3)
        except ValueError:
            pass
        pool.close()
        pool.join()
    with open(path) as book:
        print(json.dumps([int(line) for line in book]), flush=True)
    print("done", flush=True)

"""Children in a busy loop, whose parent is then killed."""
import os
from multiprocessing import Pool

def spin(_):
    print(os.getpid(), flush=True)
    while True:
        pass

if __name__ == "__main__":
    print("begun", flush=True)
    with Pool(1) as pool:
        pool.map(spin, [0])
    print("done", flush=True)

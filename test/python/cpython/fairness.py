"""A job of 3 items that comes after one of 600: how many of the 600 are done before it?"""
import multiprocessing as mp
from time import sleep

counter = None

def prepare(shared):
    global counter
    counter = shared

def long(_):
    sleep(0.002)
    with counter.get_lock():
        counter.value += 1

def short(x):
    return x

if __name__ == "__main__":
    shared = mp.Value("i", 0)
    with mp.Pool(2, prepare, (shared,)) as pool:
        print("begun", flush=True)
        big = pool.map_async(long, range(600))
        pool.map(short, range(3))
        print(shared.value, flush=True)
        big.get()
    print("done", flush=True)

"""A callback throws: what becomes of later results?"""
from multiprocessing import Pool

def work(x):
    return x

def careless(result):
    raise RuntimeError("careless")

if __name__ == "__main__":
    with Pool(1) as pool:
        print("begun", flush=True)
        pool.apply_async(work, (1,), callback=careless)
        print(pool.apply_async(work, (2,)).get(), flush=True)
        print("done", flush=True)

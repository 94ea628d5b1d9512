"""The initializer throws: how many children are started?"""
import sys
from multiprocessing import Pool

def prepare(path):
    sys.stderr = open("/dev/null", "w")
    with open(path, "a") as book:
        book.write("x\n")
    raise RuntimeError("no data")

def work(x):
    return x

if __name__ == "__main__":
    print("begun", flush=True)
    with Pool(2, prepare, (sys.argv[1],)) as pool:
        print(pool.map(work, range(3)), flush=True)
    print("done", flush=True)

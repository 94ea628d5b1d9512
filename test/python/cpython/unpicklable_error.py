"""A task throws an error that cannot be rebuilt from its arguments."""
from multiprocessing import Pool

class QuotaError(Exception):
    def __init__(self, left, unit):
        super().__init__(f"{left} {unit} left")

def work(x):
    raise QuotaError(x, "MB")

if __name__ == "__main__":
    with Pool(1) as pool:
        print("begun", flush=True)
        try:
            pool.map(work, [1])
        except Exception as error:
            print(error, flush=True)
        print("done", flush=True)

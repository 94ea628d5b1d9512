"""imap with chunks: which results does one get after an error?"""
import json
from multiprocessing import Pool

def work(x):
    if x == 1:
        raise ValueError(x)
    return x

if __name__ == "__main__":
    print("begun", flush=True)
    seen = []
    with Pool(1) as pool:
        stream = pool.imap(work, range(6), chunksize=3)
        while True:
            try:
                seen.append(next(stream))
            except StopIteration:
                break
            except ValueError:
                seen.append("error")
    print(json.dumps(seen), flush=True)
    print("done", flush=True)

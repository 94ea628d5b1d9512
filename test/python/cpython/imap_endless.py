"""How much of its input has imap pulled by the time that one result was taken?"""
from multiprocessing import Pool
from time import sleep

pulled = 0

def numbers():
    global pulled
    # Without this end the memory of the machine would be the limit.
    while pulled < 50_000:
        pulled += 1
        yield pulled

def work(x):
    return x

if __name__ == "__main__":
    print("begun", flush=True)
    with Pool(1) as pool:
        stream = pool.imap(work, numbers())
        next(stream)
        # It need not be asked for more: it goes on by itself.
        while pulled < 20_000:
            sleep(0.05)
        print(pulled, flush=True)
    print("done", flush=True)

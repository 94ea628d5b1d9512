"""get() of a job that was pending when its pool was terminated."""
from multiprocessing import Pool
from time import sleep

if __name__ == "__main__":
    pool = Pool(1)
    job = pool.map_async(sleep, [600])
    sleep(0.2)
    pool.terminate()
    print("begun", flush=True)
    try:
        job.get()
    except Exception as error:
        print(error, flush=True)
    print("done", flush=True)

"""Celery: a Redis and a worker with as many processes, both started for it."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from tasks import TASKS, measure


def start(setting):
    folder = tempfile.mkdtemp(prefix="shoal-bench-celery-")
    socket = os.path.join(folder, "redis.sock")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    in_memory = ["--save", "", "--appendonly", "no", "--dir", folder]
    redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket, *in_memory], **quiet)
    ready_by = time.monotonic() + 30
    while not os.path.exists(socket) and time.monotonic() < ready_by:
        time.sleep(0.01)
    os.environ["SHOAL_BENCH_REDIS"] = socket
    here = os.path.dirname(os.path.abspath(__file__))
    options = ["--concurrency", str(setting["processes"]), "--without-gossip", "--without-mingle"]
    celery = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", *options]
    worker = subprocess.Popen(celery, cwd=here, **quiet)

    from celery import group
    from celery_app import tasks

    names = {function: name for name, function in TASKS.items()}

    def chunks(function, items):
        size = -(-len(items) // (4 * setting["processes"]))
        parts = tasks[names[function]].chunks(zip(items), size).apply_async().get()
        return [result for part in parts for result in part]

    def one_by_one(function, items):
        task = tasks[names[function]]
        return group(task.s(item) for item in items).apply_async().get()

    def close():
        for process in (worker, redis):
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
        # Results that are collected as garbage would look for their Redis for half a minute.
        os._exit(0)

    return (chunks if setting["mode"] == "chunks" else one_by_one), close


if __name__ == "__main__":
    measure(start)

"""Celery: a Redis and a worker with as many processes, both started for it."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from tasks import TASKS, measure


def free_port():
    """A port of this machine that nobody listens on just now."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def start_redis(folder):
    """A Redis on TCP, in memory only. Between being found free and being taken, a port may go to somebody else."""
    in_memory = ["--save", "", "--appendonly", "no", "--dir", folder]
    for _ in range(10):
        port = free_port()
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), *in_memory]
        redis = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in redis.stdout:
            if "Ready to accept connections" in line:
                return redis, port
        redis.wait()
    raise RuntimeError("redis-server does not start")


def start(setting):
    folder = tempfile.mkdtemp(prefix="shoal-bench-celery-")
    redis, port = start_redis(folder)
    os.environ["SHOAL_BENCH_REDIS_PORT"] = str(port)
    here = os.path.dirname(os.path.abspath(__file__))
    options = ["--concurrency", str(setting["processes"]), "--without-gossip", "--without-mingle"]
    celery = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", *options]
    worker = subprocess.Popen(celery, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

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

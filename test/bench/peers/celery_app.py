"""The tasks as a Celery application, for the worker and for whoever calls it."""
import os

from celery import Celery

from tasks import TASKS

redis = f"redis://127.0.0.1:{os.environ['SHOAL_BENCH_REDIS_PORT']}"
app = Celery("bench", broker=redis, backend=redis)
app.conf.worker_prefetch_multiplier = 4
tasks = {name: app.task(name=name)(function) for name, function in TASKS.items()}

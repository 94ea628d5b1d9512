"""The functions of ../tasks.js in Python: the same results, character by character."""
import hashlib
import json
import sys
import time

block = bytearray(65_536)


def increment(x):
    return x + 1


def rescore(record):
    return {"id": record["id"], "name": record["name"], "score": record["score"] + 1}


def echo(text):
    return text


def hash_rounds(item):
    seed, rounds = item
    block[:] = bytes([seed]) * len(block)
    last = ""
    for _ in range(rounds):
        last = hashlib.sha256(block).hexdigest()
        block[: len(last)] = last.encode()
    return last


TASKS = {"increment": increment, "rescore": rescore, "echo": echo, "hash": hash_rounds}


def items_of(setting, count):
    task = setting["task"]
    if task == "increment":
        return list(range(count))
    if task == "rescore":
        return [{"id": index, "name": f"record {index}", "score": index + 0.5} for index in range(count)]
    if task == "echo":
        return [f"{index}:".ljust(10_240, "x") for index in range(count)]
    return [(index % 256, setting["rounds"]) for index in range(count)]


def text_of(result):
    return json.dumps(result, separators=(",", ":")) if isinstance(result, dict) else str(result)


def digest_of(results):
    """A fingerprint of results in their order, as ../items.ts makes it."""
    return hashlib.sha256("".join(f"{text_of(result)}\n" for result in results).encode()).hexdigest()


def measure(start):
    """What ../measure.ts does: start, warm up, time one map, print one line."""
    setting = json.loads(sys.argv[1])
    function = TASKS[setting["task"]]
    items = items_of(setting, setting["items"])
    started = time.perf_counter()
    run, close = start(setting)
    if setting["times"] == "map":
        run(function, items_of(setting, setting["warmUpItems"]))
        time.sleep(setting["restMs"] / 1000)
        started = time.perf_counter()
    results = run(function, items)
    ms = (time.perf_counter() - started) * 1000
    print(json.dumps({"value": ms, "digest": digest_of(results)}), flush=True)
    close()

#!/usr/bin/python3
"""Maps JSON items through a function that runs on a Shoal cluster.

    python3 client.py HOST:PORT FUNCTION < items.ndjson

One JSON value a line comes in, one a line goes out, in the same order. An item that fails becomes a line
{"error": …} and does not stop the others. All that is needed is grpcio and protobuf.
"""

import json
import sys

import grpc

from shoal.v1 import job_pb2, job_pb2_grpc

ITEMS_PER_MESSAGE = 100


def requests(function, lines):
    """The messages of one Map call: first what to do, then the items, many to a message."""
    yield job_pb2.MapRequest(start=job_pb2.MapStart(function=function))
    items = []
    for line in lines:
        items.append(line.strip().encode())
        if len(items) == ITEMS_PER_MESSAGE:
            yield job_pb2.MapRequest(items=items)
            items = []
    if items:
        yield job_pb2.MapRequest(items=items)


def main(address, function):
    with grpc.insecure_channel(address) as channel:
        jobs = job_pb2_grpc.JobServiceStub(channel)
        failed = 0
        # gRPC asks for the next request only as fast as the cluster takes them: stdin may be endless.
        for answer in jobs.Map(requests(function, sys.stdin)):
            if answer.job_id:
                # At once, in the first answer: `shoal status` says why a job waits, and so does jobs.WatchJob.
                print(f"{answer.job_id} maps {function}", file=sys.stderr)
            for outcome in answer.outcomes:
                if outcome.HasField("value"):
                    print(outcome.value.decode())
                else:
                    failure = outcome.failure
                    error = {"code": failure.code, "index": failure.index, "message": failure.summary}
                    print(json.dumps({"error": error}))
            for line in answer.prints:
                print(f"({line.task} {line.agent} pid={line.pid}) {line.text}", file=sys.stderr)
            if answer.HasField("summary"):
                failed = answer.summary.failed
                print(f"{answer.summary.succeeded} succeeded, {failed} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: client.py HOST:PORT FUNCTION < items.ndjson")
    try:
        sys.exit(main(sys.argv[1], sys.argv[2]))
    except grpc.RpcError as error:
        # The same message that a TypeScript client shows: what happened, and what to do about it.
        sys.exit(f"{error.code().name}: {error.details()}")

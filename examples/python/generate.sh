#!/bin/sh
# Writes the Python code of shoal.v1 anew. Needed only when the .proto files have changed.
# Debian and Ubuntu: apt install protobuf-compiler protobuf-compiler-grpc
set -eu
cd "$(dirname "$0")"
proto=../../libs/protocol/proto
protoc -I "$proto" --python_out=. shoal/v1/common.proto shoal/v1/cluster.proto shoal/v1/job.proto
protoc -I "$proto" --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" --grpc_python_out=. shoal/v1/job.proto

#!/usr/bin/env bash
# Makes build/stubs: an environment for Python with gRPC, and the stubs of the contract and of the order.
set -euo pipefail
cd "$(dirname "$0")/../../.."

stubs=build/stubs
requirements=client/examples/python/requirements.txt
if ! cmp -s $requirements $stubs/requirements.txt; then
  echo "Making $stubs, once"
  python3 -m venv --clear $stubs
  $stubs/bin/pip install --quiet --disable-pip-version-check -r $requirements
  cp $requirements $stubs/requirements.txt
fi
$stubs/bin/python -m grpc_tools.protoc -I proto -I client/examples --python_out=$stubs --grpc_python_out=$stubs \
  proto/millrace/v1/*.proto client/examples/order.proto

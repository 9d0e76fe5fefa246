#!/bin/sh
# Makes the stubs in gen/, with protoc and the plugins that go.mod pins.
set -eu
cd "$(dirname "$0")"

GOBIN=$PWD/gen/bin go install tool
options=
for file in error record event_hub; do # In which package of ours each file of the contract goes.
  where=Mmillrace/v1/$file.proto="example.com/orders/gen/millrace;millrace"
  options="$options --go_opt=$where --go-grpc_opt=$where"
done
# shellcheck disable=SC2086 # Several options.
PATH=$PWD/gen/bin:$PATH protoc -I ../../../proto -I .. $options \
  --go_out=. --go_opt=module=example.com/orders --go-grpc_out=. --go-grpc_opt=module=example.com/orders \
  millrace/v1/error.proto millrace/v1/record.proto millrace/v1/event_hub.proto order.proto

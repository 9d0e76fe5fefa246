#!/usr/bin/env bash
# grpcurl against a hub, by reflection alone. Needs Go 1.25, newer than bookworm's own.
source tests/stages/report.sh

version=v1.9.4
export GOTOOLCHAIN=local GOFLAGS=-mod=mod
if [[ "$("$tools/grpcurl" -version 2>&1)" != *"$version"* ]]; then
  command -v go >/dev/null || skip_stage "Go is not installed, which grpcurl is built with"
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  ((${minor:-0} >= 25)) || skip_stage "Go is older than 1.25, which grpcurl needs"
  GOBIN=$tools go install -ldflags "-X main.version=$version" \
    "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version"
fi

GRPCURL=$tools/grpcurl pytest_stage tests/interop/test_grpcurl.py

#!/usr/bin/env bash
# The use cases of client/examples in Chromium, each run by its one command, with kills on the way.
source tests/stages/report.sh

[[ -x ${MILLRACE_CHROMIUM:-/usr/bin/chromium} ]] || skip_stage "Chromium is not installed"
client/examples/python/stubs.sh
node_stage --test-concurrency=1 tests/client/examples/*_test.js

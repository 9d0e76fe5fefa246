#!/usr/bin/env bash
# Power cuts under the engine and kills of the server: nothing acknowledged is lost.
source tests/stages/report.sh

check "20000 power cuts lose nothing" tests/fault/run.sh --cuts 20000 --kills 0
if [[ -f tests/fault/kills.py ]]; then
  check "200 kills lose nothing" tests/fault/run.sh --cuts 0 --kills 200
fi
finish

#!/usr/bin/env bash
# Power cuts under the engine: nothing acknowledged is lost. Kills of the server are not part of this
# yet: tests/fault/run.sh --cuts 0 --kills 200.
source tests/stages/report.sh

check "20000 power cuts lose nothing" tests/fault/run.sh --cuts 20000 --kills 0
finish

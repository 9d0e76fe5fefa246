#!/usr/bin/env bash
# Power cuts under the engine, a part of what tests/fault/run.sh makes. Kills of the server are not part of this
# yet: tests/fault/run.sh --cuts 0 --kills 200.
source tests/stages/report.sh

check "5000 power cuts lose nothing" tests/fault/run.sh --cuts 5000 --kills 0
finish

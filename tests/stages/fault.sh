#!/usr/bin/env bash
# Power cuts under the engine, and kills of the server under load, as the README's guarantees say.
source tests/stages/report.sh

check "20000 power cuts lose nothing" tests/fault/run.sh --cuts 20000 --kills 0
check "400 kills under load lose nothing" tests/fault/run.sh --cuts 0 --kills 400
finish

#!/usr/bin/env bash
# Power cuts under the engine, kills of the server under load, and churn that leaves nothing behind.
source tests/stages/report.sh

check "20000 power cuts lose nothing" tests/fault/run.sh --cuts 20000 --kills 0
check "400 kills under load lose nothing" tests/fault/run.sh --cuts 0 --kills 400
pytest_stage tests/fault/test_soak.py || failures=$((failures + 1))
finish

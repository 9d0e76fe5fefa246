#!/usr/bin/env bash
# A Python service with generated stubs and default channel options.
source tests/stages/report.sh

pytest_stage tests/interop/test_python_stubs.py

#!/usr/bin/env bash
# The C++ tests.
source tests/stages/report.sh

ctest_stage build --parallel "$(nproc)"

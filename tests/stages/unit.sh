#!/usr/bin/env bash
# The C++ tests, and an outside project that uses the installed client package.
source tests/stages/report.sh

ctest_stage build --parallel "$(nproc)"

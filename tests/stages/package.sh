#!/usr/bin/env bash
# An outside project finds the installed CMake package, builds with it and reaches a hub.
source tests/stages/report.sh

pytest_stage tests/interop/test_cpp_package.py

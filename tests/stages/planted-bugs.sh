#!/usr/bin/env bash
# Bugs planted in the group coordinator and in what keeps data safe are each caught by a test.
source tests/stages/report.sh

check "every bug planted in the group coordinator is caught" python3 tests/server/hub/planted_bugs.py --build build
check "every bug planted in the log is caught" python3 tests/fault/planted_bugs.py --build build
finish

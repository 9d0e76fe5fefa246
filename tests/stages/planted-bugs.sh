#!/usr/bin/env bash
# Bugs planted in the group coordinator are each caught by its tests.
source tests/stages/report.sh

check "every planted bug is caught" python3 tests/server/hub/planted_bugs.py --build build
finish

#!/usr/bin/env bash
# Instructions a record of the hot path's inner loops, counted by callgrind, against what is recorded.
source tests/stages/report.sh

command -v valgrind >/dev/null || skip_stage "valgrind is missing"
check "the inner loops take no more instructions than recorded" python3 tests/bench/instructions.py --build build
finish

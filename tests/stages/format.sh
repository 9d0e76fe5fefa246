#!/usr/bin/env bash
# clang-format leaves every tracked C++ file as it is.
source tests/stages/report.sh

formatted() { git ls-files -z '*.cc' '*.h' | xargs -0 clang-format-14 --dry-run -Werror; }

check "C++ files are formatted" formatted
finish

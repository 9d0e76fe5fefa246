#!/usr/bin/env bash
# clang-tidy finds nothing in the C++ files of the product; slow, but for what passed before.
source tests/stages/report.sh

git ls-files 'storage/*.cc' 'server/*.cc' 'client/*.cc' ':!client/examples' |
  python3 tests/stages/tidy.py build "$report/checks.tsv" | tee "$report/findings.txt"

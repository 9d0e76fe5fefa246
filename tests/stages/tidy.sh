#!/usr/bin/env bash
# clang-tidy finds nothing in the C++ files of the product; slow.
source tests/stages/report.sh

# A line for each file, so that a finding in one does not hide the others.
tidy() {
  local outcome=passed
  clang-tidy-14 -p build --quiet --extra-arg=-Wno-unknown-warning-option "$1" 2>"$report/$$.err" || outcome=failed
  ! grep -v 'warnings.* generated\.$' "$report/$$.err" || outcome=failed # Its own troubles.
  rm "$report/$$.err"
  printf '%s\t%s\n' $outcome "$1" >>"$report/checks.tsv"
}
export -f tidy
export report

git ls-files -z 'storage/*.cc' 'server/*.cc' 'client/*.cc' |
  xargs -0 -P "$(nproc)" -I{} bash -c 'tidy {}' | tee "$report/findings.txt"
! grep -q '^failed' "$report/checks.tsv"

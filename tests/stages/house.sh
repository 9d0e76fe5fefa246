#!/usr/bin/env bash
# Names, file sizes and folders follow the house rules; programs are hardened; what counts tests and speeds adds up.
source tests/stages/report.sh

pytest_stage tests/checks/test_house_rules.py tests/checks/test_hardening.py tests/checks/test_counting.py \
  tests/bench/test_compare.py tests/bench/test_growth.py

#!/usr/bin/env bash
# Names, file sizes and folders follow the house rules; what counts tests and compares speeds adds up.
source tests/stages/report.sh

pytest_stage tests/checks/test_house_rules.py tests/checks/test_counting.py tests/bench/test_compare.py tests/bench/test_growth.py

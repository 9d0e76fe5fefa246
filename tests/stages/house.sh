#!/usr/bin/env bash
# Names, file sizes and folders follow the house rules; the counting of tests counts.
source tests/stages/report.sh

pytest_stage tests/checks/test_house_rules.py tests/checks/test_counting.py

#!/usr/bin/env bash
# Names, file sizes and the folders follow the house rules.
source tests/stages/report.sh

pytest_stage tests/checks/test_house_rules.py

#!/usr/bin/env bash
# The README's tour prints what the README says.
source tests/stages/report.sh

pytest_stage tests/e2e/test_readme.py

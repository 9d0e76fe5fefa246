#!/usr/bin/env bash
# A hub under attack: others are served as in quiet, it stays small, no restart.
source tests/stages/report.sh

pytest_stage tests/e2e/test_attacks.py

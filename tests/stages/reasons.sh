#!/usr/bin/env bash
# The README's error table says what storage/error.h says.
source tests/stages/report.sh

pytest_stage tests/checks/test_reasons.py

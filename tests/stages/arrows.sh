#!/usr/bin/env bash
# Includes follow the layers; a planted violation is caught.
source tests/stages/report.sh

pytest_stage tests/checks/test_include_arrows.py

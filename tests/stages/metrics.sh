#!/usr/bin/env bash
# What operators see: /metrics read strictly, the access log.
source tests/stages/report.sh

pytest_stage tests/interop/test_metrics.py tests/interop/test_access_log.py

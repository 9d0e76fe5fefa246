#!/usr/bin/env bash
# What operators see: /metrics read strictly, the dashboard and alerts against it, the access log, traces.
source tests/stages/report.sh

pytest_stage tests/interop/test_metrics.py tests/interop/test_dashboard.py \
  tests/interop/test_access_log.py tests/interop/test_traces.py

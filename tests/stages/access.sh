#!/usr/bin/env bash
# Access: each rpc, command and path asks; lists, sessions, open streams, quotas; rotation under load.
source tests/stages/report.sh

pytest_stage tests/e2e/test_access_table.py tests/e2e/test_access_sight.py \
  tests/e2e/test_access_streams.py tests/e2e/test_access_quotas.py tests/e2e/test_access_rotation.py \
  tests/e2e/test_certificate_rotation.py tests/e2e/test_stream_age.py

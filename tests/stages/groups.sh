#!/usr/bin/env bash
# Consumer groups: sharing, commits, transactions, faults; the catalogue through a group with kills.
source tests/stages/report.sh

pytest_stage tests/interop/test_group_members.py tests/interop/test_group_commits.py \
  tests/interop/test_group_service.py tests/interop/test_examples.py \
  tests/e2e/test_rebalances.py tests/e2e/test_group_faults.py tests/e2e/test_groups.py

#!/usr/bin/env bash
# The millrace command against a hub.
source tests/stages/report.sh

pytest_stage tests/client/cli

#!/usr/bin/env bash
# The millrace command against a hub: every command, its output and exit codes.
source tests/stages/report.sh

pytest_stage tests/client/cli

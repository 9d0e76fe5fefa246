#!/usr/bin/env bash
# TLS on both ports: who is let in, what is refused at start, certificates that are replaced.
source tests/stages/report.sh

pytest_stage tests/interop/test_tls.py

#!/usr/bin/env bash
# The C++ tests of batches, hub and memory engine with TSan, built into build-tsan/.
source tests/stages/sanitized.sh

sanitized_tests build-tsan thread tests/storage tests/server/hub

#!/usr/bin/env bash
# The C++ tests of batches, hub, memory engine and web port with TSan, built into build-tsan/.
source tests/stages/sanitized.sh

sanitized_tests build-tsan thread tests/storage tests/server/hub tests/server/web

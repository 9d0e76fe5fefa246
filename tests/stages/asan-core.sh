#!/usr/bin/env bash
# The C++ tests of the storage and the hub with ASan and UBSan, built into build-asan/.
source tests/stages/sanitized.sh

sanitized_tests build-asan address,undefined tests/storage tests/server/hub

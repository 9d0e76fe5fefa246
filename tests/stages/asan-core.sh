#!/usr/bin/env bash
# The C++ tests of the storage, the hub and the web port with ASan and UBSan, built into build-asan/.
source tests/stages/sanitized.sh

sanitized_tests build-asan address,undefined tests/storage tests/server/hub tests/server/web

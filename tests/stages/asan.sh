#!/usr/bin/env bash
# All C++ tests with ASan and UBSan, built into build-asan/.
source tests/stages/sanitized.sh

sanitized_tests build-asan address,undefined

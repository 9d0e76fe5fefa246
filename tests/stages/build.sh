#!/usr/bin/env bash
# Configures and builds everything into build/, Release.
source tests/stages/report.sh

cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DMILLRACE_BUILD_TESTS=ON \
  -DMILLRACE_WERROR=ON >/dev/null
ninja -C build

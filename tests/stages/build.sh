#!/usr/bin/env bash
# Configures and builds everything into build/, Release; with WERROR=true warnings are errors.
source tests/stages/report.sh

options=(-DCMAKE_BUILD_TYPE=Release -DMILLRACE_BUILD_TESTS=ON)
[[ ${WERROR-} != true ]] || options+=(-DMILLRACE_WERROR=ON)
cmake -S . -B build -G Ninja "${options[@]}" >/dev/null
ninja -C build

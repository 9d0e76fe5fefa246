#!/usr/bin/env bash
# Measures Millrace beside Kafka, NATS JetStream and Redis Streams; see tests/bench/README.md and
# --help. Builds build/bin/millrace-server first, unless told not to.
set -euo pipefail
cd "$(dirname "$0")/../.."

build=true
for argument in "$@"; do
  case "$argument" in --no-build | --list | --help | -h | --render*) build=false ;; esac
done
if $build; then
  source deploy/packages.sh
  install_packages "${build_packages[@]}" python3
  [[ -f build/build.ninja ]] || cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
  ninja -C build millrace-server
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 -m tests.bench.compare "$@"

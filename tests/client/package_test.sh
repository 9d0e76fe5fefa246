#!/bin/bash
# Installs the client into an empty prefix, builds a project outside this tree with find_package
# against it, and runs it against a hub: package_test.sh BUILD_DIR SERVER
set -euo pipefail
build_dir=$1
server=$2
outside=$(cd "$(dirname "$0")/outside" && pwd)

work=$(mktemp -d)
hub=
clean_up() {
  if [[ -n $hub ]]; then
    kill -9 "$hub" || true
    wait "$hub" || true
  fi
  rm -rf "$work"
} 2>/dev/null
trap clean_up EXIT

cmake --install "$build_dir" --component client --prefix "$work/prefix" >"$work/install.log"
cmake -G Ninja -S "$outside" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/cmake.log"
cmake --build "$work/build"

"$server" --data-dir "$work/data" --listen 127.0.0.1:0 --web-listen none --port-file "$work/port" \
  >"$work/hub.log" 2>&1 &
hub=$!
for _ in $(seq 1 500); do
  [[ -s $work/port ]] && break
  kill -0 "$hub" || { cat "$work/hub.log"; exit 1; }
  sleep 0.02
done
"$work/build/outside" "127.0.0.1:$(cat "$work/port")"
"$work/build/outside_stubs" "127.0.0.1:$(cat "$work/port")"

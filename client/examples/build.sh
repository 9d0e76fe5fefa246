#!/usr/bin/env bash
# Builds the examples of the languages that are named, or of all: client/examples/build.sh [LANGUAGE]...
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD/../../build/polyglot
mkdir -p "$out"

python() { python/stubs.sh; }

go() {
  go/generate.sh
  command go build -C go -o "$out/go/" ./order-producer ./order-member
}

node() {
  cmp -s node/package-lock.json node/node_modules/.installed || {
    npm ci --silent --no-audit --no-fund --prefix node
    cp node/package-lock.json node/node_modules/.installed
  }
  npm run --silent --prefix node build
}

rust() { (cd rust && cargo build --quiet --target-dir "$out/rust"); }

java() { mvn -q -B -Dstyle.color=never -f java/pom.xml package; }

cpp() {
  cmake -S cpp -B "$out/cpp" -G Ninja >"$out/cmake.log" || { cat "$out/cmake.log"; return 1; }
  cmake --build "$out/cpp" -- --quiet
}

(($#)) || set -- python go node rust java cpp
for language in "$@"; do
  [[ $(type -t "$language") == function ]] || { echo "No examples in $language" >&2; exit 2; }
  echo "Building the examples in $language"
  "$language"
done

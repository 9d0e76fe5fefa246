#!/usr/bin/env bash
# Puts the systems that Millrace is measured beside, and the load program, into a cache folder:
#
#     tests/bench/peers/install.sh CACHE [millrace|kafka|nats|redis]...
#
# Millrace itself is taken from build/; naming it here builds only what it takes to load it. What is
# in the folder already, in the version that versions.sh names, is not fetched again. Fetches through
# apt-get, mvn and go, with the registries that they are set to.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
# shellcheck source-path=SCRIPTDIR
source "$here/versions.sh"

(($#)) || { echo "usage: install.sh CACHE [SYSTEM]..." >&2; exit 2; }
mkdir -p "$1/bin"
cache=$(cd "$1" && pwd)
shift
systems=("$@")
((${#systems[@]})) || systems=(millrace kafka nats redis)

# Fails with the Debian package that would help where a program is missing.
needs() {
  command -v "$1" >/dev/null || { echo "install.sh: $1 is missing; Debian: $2" >&2; exit 1; }
}

# Whether the part is there in this version already; `installed PART VERSION` notes that it is.
is_installed() { [[ "$(cat "$cache/$1.version" 2>/dev/null)" == "$2" ]]; }
installed() { echo "$2" >"$cache/$1.version"; }

# A Go of at least go_version: the one at hand, or one that it fetches from the module proxy.
go_program=go
find_go() {
  needs go golang-go
  export GOFLAGS=-mod=mod GOWORK=off
  local have
  have=$(GOTOOLCHAIN=local go env GOVERSION)
  if [[ "$(printf '%s\n' "go$go_version" "$have" | sort -V | head -1)" == "go$go_version" ]]; then
    export GOTOOLCHAIN=local
    return
  fi
  local folder=$cache/go-$go_version module
  export GOTOOLCHAIN=local
  if [[ ! -x $folder/bin/go ]]; then
    echo "install.sh: fetching Go $go_version, $have is older"
    module=golang.org/toolchain@v0.0.1-go$go_version.$(go env GOOS)-$(go env GOARCH)
    rm -rf "$folder" "$cache/fetch"
    mkdir -p "$cache/fetch"
    # A module archive keeps no modes, so the programs are made executable here.
    (cd "$cache/fetch" && GOFLAGS='' GO111MODULE=on GOMODCACHE=$cache/fetch/mod go mod download "$module")
    cp -r "$cache/fetch/mod/$module" "$folder"
    chmod -R u+w "$folder" "$cache/fetch"
    chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
    rm -rf "$cache/fetch"
  fi
  go_program=$folder/bin/go
}

install_kafka() {
  is_installed kafka "$kafka_version" && return
  needs java default-jre-headless
  needs mvn maven
  rm -rf "$cache/kafka"
  mkdir -p "$cache/kafka"
  cp "$here/kafka.xml" "$cache/kafka/pom.xml"
  (cd "$cache/kafka" && mvn -q -B -Dkafka.version="$kafka_version" dependency:copy-dependencies \
    -DoutputDirectory=libs -DincludeScope=runtime)
  installed kafka "$kafka_version"
}

install_nats() {
  is_installed nats "$nats_version" && return
  find_go
  GOBIN=$cache/bin "$go_program" install "github.com/nats-io/nats-server/v2@$nats_version"
  installed nats "$nats_version"
}

# Unpacked rather than installed: an installed server would be started as a service.
install_redis() {
  needs apt-get apt
  local version
  version=$(apt-cache policy redis-server | sed -n 's/^ *Candidate: //p')
  is_installed redis "$version" && return
  rm -rf "$cache/redis"
  mkdir -p "$cache/redis/packages"
  (cd "$cache/redis/packages" &&
    apt-get download -qq redis-server redis-tools libjemalloc2 liblzf1 liblua5.1-0 lua-bitop lua-cjson)
  local package
  for package in "$cache"/redis/packages/*.deb; do
    dpkg -x "$package" "$cache/redis/root"
  done
  installed redis "$version"
}

# The load program, with stubs made from the contract as it is now.
install_load() {
  find_go
  needs protoc protobuf-compiler
  GOBIN=$cache/bin "$go_program" install \
    "google.golang.org/protobuf/cmd/protoc-gen-go@$protoc_gen_go_version"
  GOBIN=$cache/bin "$go_program" install \
    "google.golang.org/grpc/cmd/protoc-gen-go-grpc@$protoc_gen_go_grpc_version"
  rm -rf "$cache/stubs"
  mkdir -p "$cache/stubs"
  PATH=$cache/bin:$PATH protoc -I "$root/proto" --go_out="$cache/stubs" \
    --go_opt=module=millrace/proto --go-grpc_out="$cache/stubs" \
    --go-grpc_opt=module=millrace/proto "$root"/proto/millrace/v1/*.proto
  # The stubs need what the load program pins, and nothing else.
  sed 's|^module .*|module millrace/proto|' "$root/tests/bench/load/go.mod" >"$cache/stubs/go.mod"
  cp "$root/tests/bench/load/go.sum" "$cache/stubs/go.sum"
  printf 'go %s\n\nuse (\n\t%s\n\t%s\n)\n' "$go_version" "$root/tests/bench/load" "$cache/stubs" \
    >"$cache/go.work"
  (cd "$root/tests/bench/load" && GOFLAGS=-mod=readonly GOWORK=$cache/go.work \
    "$go_program" build -trimpath -o "$cache/bin/millrace-bench-load" .)
}

for system in "${systems[@]}"; do
  case "$system" in
    millrace | millrace-stubs) ;;
    kafka) install_kafka ;;
    nats) install_nats ;;
    redis) install_redis ;;
    *) echo "install.sh: there is no system \"$system\"" >&2; exit 2 ;;
  esac
done
install_load
needs g++ g++
g++ -std=c++20 -O2 -Wall -Wextra -o "$cache/bin/millrace-bench-limits" "$root/tests/bench/limits.cc"

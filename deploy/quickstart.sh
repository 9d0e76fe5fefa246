#!/usr/bin/env bash
# From a fresh clone to events flowing through a hub on disk. Run again, it is quick.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: deploy/quickstart.sh [--exit] [--data-dir DIR] [--listen HOST:PORT] [--web-listen HOST:PORT]

Installs the Debian packages that are missing, builds Millrace into build/, starts a hub, creates
a topic, sends events and receives them. The hub stays up in the background.

  --exit              stop the hub at the end
  --data-dir DIR      where the hub keeps its log (default build/quickstart-data)
  --listen HOST:PORT  where the hub listens (default localhost:9640; port 0 takes a free one)
  --web-listen HOST:PORT  the same for browsers and plain HTTP (default localhost:9641)
USAGE
}

stop_at_end=false
data_dir=build/quickstart-data
listen=localhost:9640
web_listen=localhost:9641
while (($#)); do
  case "$1" in
    --exit) stop_at_end=true ;;
    --data-dir | --listen | --web-listen)
      (($# > 1)) || { echo "quickstart: $1 needs a value" >&2; exit 2; }
      case "$1" in
        --data-dir) data_dir=$(realpath -m "$2") ;;
        --listen) listen=$2 ;;
        --web-listen) web_listen=$2 ;;
      esac
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) echo "quickstart: what is \"$1\"?" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

cd "$(dirname "$0")/.."
source deploy/packages.sh

server=$PWD/build/bin/millrace-server
millrace=$PWD/build/bin/millrace
state=build/quickstart # What belongs to the hub that this script started.
topic=test-topic
event_count=10

bold='' plain=''
if [[ -t 1 && -z ${NO_COLOR-} ]]; then bold=$'\033[1m' plain=$'\033[0m'; fi

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fail() {
  echo "quickstart: $*" >&2
  exit 1
}

build() {
  say "Building (the first time takes some minutes)"
  # Tests are left out of a new build directory only; an existing one is used as it is.
  [[ -f build/build.ninja ]] ||
    cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DMILLRACE_BUILD_TESTS=OFF >/dev/null
  ninja -C build millrace-server millrace
}

# The process id of the hub that an earlier run left behind, if it still runs.
running_hub() {
  local pid
  pid=$(cat $state/hub.pid 2>/dev/null) || return 1
  [[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" == "$server"* ]] && echo "$pid"
}

stop_hub() {
  local pid
  pid=$(running_hub) || return 0
  kill -TERM "$pid"
  wait "$pid" 2>/dev/null || true # Where this very run started it.
  while [[ -e /proc/$pid ]]; do sleep 0.1; done
  rm -f $state/hub.pid $state/port $state/web-port
}

settings() { echo "$listen $web_listen $(realpath -m "$data_dir")"; }

port_is_taken() {
  local host=${1%:*} port=${1##*:}
  [[ $port != 0 ]] && (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null
}

start_hub() {
  port_is_taken "$listen" && fail "something else listens on $listen already. Stop it, or name" \
    "another place: deploy/quickstart.sh --listen localhost:9700"
  port_is_taken "$web_listen" && fail "something else listens on $web_listen already. Stop it, or" \
    "name another place: deploy/quickstart.sh --web-listen localhost:9701"
  mkdir -p $state "$data_dir"
  rm -f $state/port $state/web-port
  settings >$state/settings
  nohup "$server" --data-dir "$data_dir" --listen "$listen" --port-file $state/port \
    --web-listen "$web_listen" --web-port-file $state/web-port </dev/null \
    >$state/hub.log 2>&1 &
  local pid=$!
  echo $pid >$state/hub.pid
  for ((i = 0; i < 300; ++i)); do
    [[ -s $state/port && -s $state/web-port ]] && return
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 $state/hub.log >&2
  rm -f $state/hub.pid
  kill $pid 2>/dev/null || true
  fail "the hub did not start; its log is $state/hub.log"
}

# Starts the hub, or goes on with the one that an earlier run started, unless that is an older build
# or was started with other settings.
ensure_hub() {
  local pid
  if pid=$(running_hub); then
    if [[ "$(readlink "/proc/$pid/exe")" == "$server" && "$(cat $state/settings)" == "$(settings)" ]]; then
      say "The hub is running already (process $pid)"
      return
    fi
    say "Stopping the hub of an earlier run"
    stop_hub
  fi
  start_hub
  say "The hub is up (process $(cat $state/hub.pid), data in $data_dir, log in $state/hub.log)"
}

# Ten real events: packages of this machine, the name as key and the version as value.
events() {
  # shellcheck disable=SC2016 # The dollars are dpkg-query's.
  if command -v dpkg-query >/dev/null; then
    dpkg-query -W -f='${Package}=${Version}\n' | sed -n "1,${event_count}p"
  else
    find . -name '*.h' -printf '%f=%s bytes\n' | sed -n "1,${event_count}p"
  fi
}

round_trip() {
  say "Creating the topic $topic with 3 partitions"
  if "$millrace" topic describe $topic >/dev/null 2>&1; then
    echo "It exists already."
  else
    "$millrace" topic create $topic --partitions 3
  fi

  say "Sending $event_count events: packages of this machine, keyed by name"
  events | "$millrace" produce $topic -K =

  say "Receiving them as the consumer group quickstart"
  local received
  received=$("$millrace" consume $topic --group quickstart -e -q -K '=')
  printf '%s\n' "$received"
  local count
  count=$(grep -c . <<<"$received") || true
  ((count >= event_count)) || fail "sent $event_count events and received $count"
  say "Received $count events"
}

what_next() {
  local target=$1 web
  web=${web_listen%:*}:$(cat $state/web-port)
  say "What to try next"
  [[ $target == localhost:9640 ]] || echo "  export MILLRACE_TARGET=$target"
  cat <<NEXT
  build/bin/millrace consume $topic                    in one terminal,
  build/bin/millrace produce $topic                    in another: type, and see it arrive at once
  build/bin/millrace consume $topic --from-beginning   everything from the start
  build/bin/millrace topic describe $topic
  build/bin/millrace hub info
  grpcurl -plaintext $target list                      the same from any language
  curl -s http://$web/readyz                   for browsers and plain HTTP: server/web/README.md

  Stop the hub:   kill $(cat $state/hub.pid)
  Run the tests:  tests/run.sh
NEXT
}

install_packages "${build_packages[@]}"
build
trap 'status=$?; if $stop_at_end || ((status)); then stop_hub; fi' EXIT
ensure_hub
MILLRACE_TARGET=${listen%:*}:$(cat $state/port)
export MILLRACE_TARGET
round_trip
if $stop_at_end; then
  stop_hub
  say "The hub is stopped; its data stay in $data_dir"
else
  what_next "$MILLRACE_TARGET"
fi

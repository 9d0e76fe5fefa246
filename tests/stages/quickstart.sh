#!/usr/bin/env bash
# deploy/quickstart.sh does what the README promises.
source tests/stages/report.sh

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

quickstart() {
  deploy/quickstart.sh --listen localhost:0 --web-listen localhost:0 --data-dir "$scratch/data" "$@" >"$scratch/out" 2>&1
  local status=$?
  cat "$scratch/out"
  return $status
}
comes_round() { quickstart --exit && grep -q 'Received 10 events' "$scratch/out"; }
stops_its_hub() { ! [[ -e build/quickstart/hub.pid ]]; }

# refuses WORDS COMMAND...: the command fails and says so.
refuses() {
  local words=$1
  shift
  ! "$@" >"$scratch/out" 2>&1 && grep -q "$words" "$scratch/out"
}

# Something that is no hub, on a port that the kernel chose.
python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
print(s.getsockname()[1], flush=True); time.sleep(600)' >"$scratch/port" &
squatter=$!
until [[ -s $scratch/port ]]; do sleep 0.1; done

check "--exit sends and receives events" comes_round
check "--exit stops the hub" stops_its_hub
goes_on() { comes_round && grep -q 'It exists already' "$scratch/out"; }
check "a second run goes on with the data of the first" goes_on
check "a taken port is named" refuses 'something else listens' \
  deploy/quickstart.sh --exit --data-dir "$scratch/data" --listen "127.0.0.1:$(cat "$scratch/port")"
check "a taken web port is named" refuses 'something else listens' \
  deploy/quickstart.sh --exit --data-dir "$scratch/data" --listen localhost:0 \
  --web-listen "127.0.0.1:$(cat "$scratch/port")"
check "an unknown option is refused" refuses 'Usage' deploy/quickstart.sh --nonsense
kill $squatter
finish

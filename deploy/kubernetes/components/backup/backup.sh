#!/bin/sh
# Copies the log of the hub at $MILLRACE_TARGET to $BACKUPS/TIME and keeps the newest $KEEP copies.
# Runs where the hub's volume is mounted at $VOLUME, as it is in the hub's own pod: the hub writes the
# checkpoint beside its log, where it is made of links and takes moments. A copy that was cut off is never
# taken for a whole one.
set -eu

checkpoints=$VOLUME/checkpoints
name=$(date -u +%Y%m%dT%H%M%SZ)

rm -rf "$checkpoints" "$BACKUPS"/partial-* # What a run has left that was killed.
mkdir "$checkpoints"
trap 'rm -rf "$checkpoints"' EXIT
trap 'exit 143' TERM

millrace --timeout 1h hub checkpoint "$checkpoints/$name"
cp -R "$checkpoints/$name" "$BACKUPS/partial-$name"
sync -f "$BACKUPS"
mv "$BACKUPS/partial-$name" "$BACKUPS/$name"
echo "backed up to $BACKUPS/$name"

cd "$BACKUPS"
ls -d [0-9]*Z | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do
  rm -rf "$old"
  echo "removed $old"
done
sync -f "$BACKUPS"

#!/usr/bin/env bash
# buf lint and a breaking check of proto/ against proto/baseline; a planted break is caught.
source tests/stages/report.sh

version=1.75.0
command -v npm >/dev/null || skip_stage "npm is not installed, which brings buf"
buf=$tools/node_modules/.bin/buf
if [[ "$($buf --version 2>/dev/null)" != "$version" ]]; then
  npm install --silent --no-save --no-audit --no-fund --prefix "$tools" "@bufbuild/buf@$version"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r proto "$scratch/"
mv "$scratch/proto/baseline" "$scratch/baseline" # As a module of its own.

keeps_baseline() { "$buf" breaking "$1" --against "$scratch/baseline"; }

# planted_break FILE SED_SCRIPT: the check refuses the contract with this change.
planted_break() {
  cp proto/millrace/v1/*.proto "$scratch/proto/millrace/v1/"
  sed -i "$2" "$scratch/proto/$1"
  ! cmp -s "proto/$1" "$scratch/proto/$1" && ! keeps_baseline "$scratch/proto" >/dev/null
}

check "the contract passes buf lint" "$buf" lint proto
check "the contract keeps what is frozen" keeps_baseline proto
check "a changed field number is caught" \
  planted_break millrace/v1/record.proto 's/optional bytes value = 2;/optional bytes value = 9;/'
check "a changed field type is caught" \
  planted_break millrace/v1/event_hub.proto 's/int64 base_offset = 2;/int32 base_offset = 2;/'
check "a removed rpc is caught" planted_break millrace/v1/event_hub.proto '/rpc Produce(/d'
check "a changed frame of a subscription is caught" \
  planted_break millrace/v1/event_hub.proto 's/Revoking revoking = /Lost revoking = /'
check "a renamed field of a group is caught" \
  planted_break millrace/v1/group.proto 's/ member_count = / members = /'
finish

#!/usr/bin/env bash
# The browser library: its promises against a fake gateway and a real hub, and its types.
source tests/stages/report.sh

types() {
  tests/client/js/node_modules/.bin/tsc --noEmit --strict --target es2022 --module nodenext \
    --lib es2022,dom,dom.asynciterable tests/client/js/types_test.ts
}

mapfile -t tests < <(ls tests/client/js/*_test.js | grep -v console_)
node_stage "${tests[@]}" || failures=1
check "the types accept programs and find mistakes" types
finish

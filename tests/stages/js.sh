#!/usr/bin/env bash
# The browser library: its promises against a fake gateway and a real hub, its types; prettier.
source tests/stages/report.sh

types() {
  tests/client/js/node_modules/.bin/tsc --noEmit --strict --target es2022 --module nodenext \
    --lib es2022,dom,dom.asynciterable tests/client/js/types_test.ts
}

formatted() {
  git ls-files -z '*.js' '*.ts' '*.css' '*.html' |
    xargs -0 tests/client/js/node_modules/.bin/prettier --print-width 110 --log-level warn --check
}

mapfile -t tests < <(ls tests/client/js/*_test.js | grep -v -e console_ -e chromium_)
node_stage "${tests[@]}" || failures=1
check "the types accept programs and find mistakes" types
check "JavaScript, types, style sheets and pages are formatted" formatted
finish

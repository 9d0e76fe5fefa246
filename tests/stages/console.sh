#!/usr/bin/env bash
# Headless Chromium against a hub: the console as a person uses it, and the browser library in a page.
source tests/stages/report.sh

[[ -x ${MILLRACE_CHROMIUM:-/usr/bin/chromium} ]] || skip_stage "Chromium is not installed"
node_stage tests/client/js/console_test.js tests/client/js/console_access_test.js tests/client/js/chromium_test.js

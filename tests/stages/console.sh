#!/usr/bin/env bash
# The console in headless Chromium against a hub: used as a person would, looked at, checked by axe.
source tests/stages/report.sh

[[ -x ${MILLRACE_CHROMIUM:-/usr/bin/chromium} ]] || skip_stage "Chromium is not installed"
node_stage tests/client/js/console_test.js

#!/usr/bin/env bash
# The Spring Kafka tutorial in Chromium, run by its one command.
source tests/stages/report.sh

[[ -x ${MILLRACE_CHROMIUM:-/usr/bin/chromium} ]] || skip_stage "Chromium is not installed"
command -v mvn >/dev/null || skip_stage "Maven is not installed, which builds the tutorial"
# The command would build it, too; the network is not part of the test's patience.
mvn --quiet --batch-mode --file client/java --projects com.example:tutorial --also-make -DskipTests package >&2
node_stage tests/client/spring/tutorial_test.js

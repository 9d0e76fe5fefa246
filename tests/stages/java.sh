#!/usr/bin/env bash
# The Java client, the Kafka adapter and what stands on them, built and tested by Maven against a real hub.
source tests/stages/report.sh

command -v mvn >/dev/null || skip_stage "Maven is not installed, which builds and tests client/java"
command -v javac >/dev/null || skip_stage "A JDK is not installed, which builds client/java"

# Surefire's reports are counted; Maven failing without a failed test counts by the stage's end.
rm -rf client/java/*/target/surefire-reports
status=0
mvn -B -q -ntp -fae -f client/java verify || status=$?
for xml in client/java/*/target/surefire-reports/TEST-*.xml; do
  [[ ! -e $xml ]] || cp "$xml" "$report/$(basename "$(dirname "$(dirname "$(dirname "$xml")")")")-$(basename "$xml")"
done
exit $status

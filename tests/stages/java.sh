#!/usr/bin/env bash
# The Java client, the Kafka adapter and what stands on them, built and tested by Maven against a real hub.
source tests/stages/report.sh

command -v mvn >/dev/null || skip_stage "Maven is not installed, which builds and tests client/java"
command -v javac >/dev/null || skip_stage "A JDK is not installed, which builds client/java"

# Surefire's reports are counted; Maven failing without a failed test counts by the stage's end.
modules=(client/java/* client/examples/spring client/examples/spring/with-kafka)
rm -rf "${modules[@]/%//target/surefire-reports}"
status=0
mvn -B -q -ntp -fae -f client/java verify || status=$?
for module in "${modules[@]}"; do
  for xml in "$module"/target/surefire-reports/TEST-*.xml; do
    [[ ! -e $xml ]] || cp "$xml" "$report/$(basename "$module")-$(basename "$xml")"
  done
done
exit $status

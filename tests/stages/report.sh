# shellcheck shell=bash disable=SC2034
# What the stages have in common; each sources this first. A stage runs in the repository's root and
# reports into $report (see tally.py).
set -euo pipefail

report=$MILLRACE_REPORTS/$MILLRACE_STAGE
tools=$PWD/build/tools # Where stages install what they pin.

# check NAME COMMAND...: one test. Goes on after a failure; the stage then ends with 1 by `finish`.
failures=0
check() {
  local name=$1
  shift
  if "$@"; then
    printf 'passed\t%s\n' "$name" >>"$report/checks.tsv"
  else
    printf 'failed\t%s\n' "$name" >>"$report/checks.tsv"
    echo "FAILED: $name" >&2
    failures=$((failures + 1))
  fi
}

finish() { exit $((failures > 0)); }

# Leaves the stage because a tool is missing: skipped here, failed where CI=true.
skip_stage() {
  if [[ ${CI-} == true ]]; then
    echo "$1; CI needs it" >&2
    printf 'failed\t%s\t%s\n' "$MILLRACE_STAGE" "$1" >>"$report/checks.tsv"
    exit 1
  fi
  echo "Skipped: $1"
  printf 'skipped\t%s\t%s\n' "$MILLRACE_STAGE" "$1" >>"$report/checks.tsv"
  exit 0
}

# pytest_stage PATH...: runs Python tests in build/venv, which is made anew when
# tests/requirements.txt changes.
pytest_stage() {
  local venv=build/venv
  if ! cmp -s tests/requirements.txt $venv/requirements.txt; then
    rm -rf $venv
    python3 -m venv $venv
    $venv/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
    cp tests/requirements.txt $venv/requirements.txt
  fi
  pytest_in $venv "$@"
}

# pytest_in VENV PATH...: the same in another environment.
pytest_in() {
  local venv=$1
  shift
  PYTHONDONTWRITEBYTECODE=1 $venv/bin/pytest -q -p no:cacheprovider --tb=short \
    -c tests/pytest.ini --rootdir=tests --junitxml="$report/pytest.xml" "$@"
}

# node_stage FILE...: runs JavaScript tests, with the packages that tests/client/js/package-lock.json pins.
node_stage() {
  local folder=tests/client/js
  command -v npm >/dev/null || skip_stage "Node is not installed, which runs the browser library's tests"
  (($(node -p 'process.versions.node.split(".")[0]') >= 20)) || skip_stage "Node is older than 20"
  if ! cmp -s $folder/package-lock.json $folder/node_modules/.installed; then
    npm ci --silent --no-audit --no-fund --prefix $folder
    cp $folder/package-lock.json $folder/node_modules/.installed
  fi
  node --test --test-timeout=300000 --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=junit --test-reporter-destination="$report/node.xml" "$@"
}

# ctest_stage BUILD_DIRECTORY [CTEST_ARGUMENT]...: runs C++ tests and counts every GoogleTest case.
# A program that fails without a failed case (it crashed, or a sanitizer spoke at its end) counts
# as one.
ctest_stage() {
  local build=$1 status=0
  shift
  GTEST_OUTPUT="xml:$report/" ctest --test-dir "$build" --output-on-failure --timeout 300 --no-tests=error \
    --output-junit "$report/ctest.junit" "$@" || status=$?
  python3 tests/stages/programs.py "$report" || status=1
  return $status
}

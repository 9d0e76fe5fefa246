# shellcheck shell=bash
# The C++ tests under sanitizers, in a build directory of their own. Sourced by the stages asan,
# asan-core and tsan.
source tests/stages/report.sh

export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export MILLRACE_MODEL_SCHEDULES=10000 # A tenth: each takes ten times as long.
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/support/tsan.supp

# sanitized_tests BUILD SANITIZERS [FOLDER]...: the tests of these folders, or all.
sanitized_tests() {
  local build=$1 sanitizers=$2 targets=(all) patterns=() folder tests
  shift 2
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "-DMILLRACE_SANITIZE=$sanitizers" >/dev/null
  if (($#)); then
    targets=("${@/%//all}")
    for folder in "$@"; do
      tests=$(ctest --test-dir "$build/$folder" -N | sed -n 's/^ *Test *#[0-9]*: //p')
      mapfile -t -O ${#patterns[@]} patterns <<<"$tests"
    done
    set -- -R "^($(IFS='|'; echo "${patterns[*]}"))\$"
  fi
  ninja -C "$build" "${targets[@]}"
  # An outside project is not built with sanitizers, and could not link what is. The two
  # others open a log some thousand times.
  ctest_stage "$build" --exclude-regex '^(client_package|rocksdb_(bad_disk|damage)_test)$' "$@"
}

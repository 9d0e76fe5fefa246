#!/usr/bin/env bash
# Builds Millrace and runs its tests. The last line counts them: "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."
source deploy/packages.sh

# What runs unless stages are named. Each is a script tests/stages/NAME.sh; its first comment says
# what it does.
default_stages=(
  format arrows reasons house buf unit fault fuzz cli grpcurl python python-package groups metrics tls access js java console
  examples spring polyglot catalogue readme quickstart attacks instructions kubernetes planted-bugs
)
extra_stages=(asan asan-core tsan tidy)
stage_seconds=2400 # No stage may take longer, but those that are run by themselves:
slow_stage_seconds=5400

usage() {
  cat <<USAGE
Usage: tests/run.sh [OPTION]... [STAGE]...

Installs the Debian packages that are missing, builds into build/, runs the stages and counts the
tests. Exits 0 if none failed.

  --list                      print the stages and exit
  --with STAGE                this stage too, on top of the usual ones
  --no-build                  use the programs in build/ as they are, and install nothing
  --sanitize address|thread   only the C++ tests, built with ASan and UBSan or with TSan
  --tidy                      only clang-tidy, which is slow

With CI=true a stage whose tools are missing fails; otherwise it is skipped.
USAGE
}

list_stages() {
  local stage
  for stage in "${default_stages[@]}" "${extra_stages[@]}"; do
    printf '%-14s %s\n' "$stage" "$(sed -n '2s/^# //p' "tests/stages/$stage.sh")"
  done
  echo
  echo "Not run unless named: ${extra_stages[*]}"
}

stages=()
extra=()
with_build=true
while (($#)); do
  case "$1" in
    --list) list_stages; exit 0 ;;
    --no-build) with_build=false ;;
    --tidy) stages+=(tidy) ;;
    --with)
      (($# > 1)) || { echo "tests/run.sh: --with needs a stage" >&2; exit 2; }
      extra+=("$2")
      shift
      ;;
    --sanitize)
      case "${2-}" in
        address) stages+=(asan) ;;
        thread) stages+=(tsan) ;;
        *) echo "tests/run.sh: --sanitize takes address or thread" >&2; exit 2 ;;
      esac
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *)
      [[ $1 != -* && -f tests/stages/$1.sh ]] || {
        echo "tests/run.sh: there is no stage or option \"$1\"; see --list and --help" >&2
        exit 2
      }
      stages+=("$1")
      ;;
  esac
  shift
done
((${#stages[@]})) || stages=("${default_stages[@]}")
stages+=("${extra[@]}")

# What one clone has compiled, ccache finds for the others.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true

export MILLRACE_REPORTS=$PWD/build/reports
rm -rf "$MILLRACE_REPORTS"
mkdir -p "$MILLRACE_REPORTS"

needs_build() {
  case "$1" in format | arrows | reasons | house | buf | fuzz | asan | asan-core | tsan) false ;; *) true ;; esac
}

# Runs one stage. One that ends badly without having reported a failed test counts as one.
run_stage() {
  local name=$1 started=$SECONDS status=0 limit=$stage_seconds
  shift
  [[ " ${extra_stages[*]} " != *" $name "* ]] || limit=$slow_stage_seconds
  printf '\n==== %s\n' "$name"
  export MILLRACE_STAGE=$name
  mkdir -p "$MILLRACE_REPORTS/$name"
  timeout --kill-after 30 "$limit" "$@" </dev/null || status=$?
  ((status == 0)) || printf 'failed\tended with status %s\n' $status >>"$MILLRACE_REPORTS/$name/stage.tsv"
  printf '==== %s took %s s\n' "$name" $((SECONDS - started))
  return $status
}

prepare() {
  install_packages "${build_packages[@]}" "${test_packages[@]}"
  [[ ! " ${stages[*]} " =~ " "(console|examples|spring)" " ]] || install_packages "${console_packages[@]}"
  [[ " ${stages[*]} " != *" kubernetes "* ]] || install_packages "${image_packages[@]}" "${deploy_packages[@]}"
  [[ ! " ${stages[*]} " =~ " "(polyglot|java|spring)" " ]] || install_packages "${java_packages[@]}"
  [[ " ${stages[*]} " != *" tidy "* ]] || install_packages "${tidy_packages[@]}"
}

built=true
if $with_build; then
  prepare
  for stage in "${stages[@]}"; do
    if needs_build "$stage"; then
      run_stage build bash tests/stages/build.sh || built=false
      break
    fi
  done
fi

for stage in "${stages[@]}"; do
  if needs_build "$stage" && ! $built; then continue; fi
  run_stage "$stage" bash "tests/stages/$stage.sh" || true
done

echo
exec python3 tests/stages/tally.py "$MILLRACE_REPORTS"

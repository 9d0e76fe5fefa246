#!/usr/bin/env bash
# Power cuts and kills, as many as wanted, with a judge who knows what was promised. The last line
# counts them; exits 0 if nothing was found.
set -euo pipefail
cd "$(dirname "$0")/../.."

cuts=20000 kills=200 soak=0 seed=1 build=build

usage() {
  cat <<USAGE
Usage: tests/fault/run.sh [--cuts N] [--kills N] [--soak SECONDS] [--seed S] [--build DIR]

  --cuts N     power cuts under the engine ($cuts); 0: none
  --kills N    kills of the server ($kills); 0: none
  --soak S     seconds of topics, groups and connections that come and go ($soak); 3600: the long mode
  --seed S     where random numbers begin ($seed)
  --build DIR  the programs' directory ($build)
USAGE
}

while (($#)); do
  case "$1" in
    --cuts | --kills | --soak | --seed | --build)
      (($# > 1)) || { usage >&2; exit 2; }
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

failed=0 done=()

# campaign WHAT COMMAND...: goes on with the next one after a failure.
campaign() {
  local what=$1 started=$SECONDS
  shift
  if "$@"; then
    done+=("$what passed in $((SECONDS - started)) s")
  else
    done+=("$what FAILED")
    failed=1
  fi
}

if ((cuts > 0)); then
  MILLRACE_CUTS=$cuts MILLRACE_CUT_SEED=$seed campaign "$cuts power cuts" \
    "$build/bin/power_cut_test"
fi
if ((kills > 0)); then
  campaign "$kills kills" \
    python3 tests/fault/kills.py --kills "$kills" --seed "$seed" --build "$build"
fi
if ((soak > 0)); then
  MILLRACE_SOAK_SECONDS=$soak campaign "$soak s of churn" "$build/venv/bin/pytest" -q -s \
    -p no:cacheprovider -c tests/pytest.ini --rootdir=tests tests/fault/test_soak.py
fi
((${#done[@]})) || { echo "tests/fault/run.sh: nothing to do" >&2; exit 2; }

joined=$(printf '%s, ' "${done[@]}")
echo "${joined%, }"
exit $failed

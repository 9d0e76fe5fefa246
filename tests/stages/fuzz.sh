#!/usr/bin/env bash
# Every libFuzzer target for a short while: FUZZ_SECONDS each, 20 by default.
source tests/stages/report.sh

cmake -S . -B build-fuzz -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang-14 \
  -DCMAKE_CXX_COMPILER=clang++-14 -DMILLRACE_BUILD_FUZZERS=ON >/dev/null
mapfile -t targets < <(ninja -C build-fuzz -t targets all | sed -n 's/^bin\/\(fuzz_[a-z_]*\): .*/\1/p')
check "there are fuzz targets" test ${#targets[@]} -gt 0
((${#targets[@]})) || finish
ninja -C build-fuzz "${targets[@]}"

fuzz() {
  local corpus=build-fuzz/corpus/$1
  mkdir -p "$corpus"
  build-fuzz/bin/"$1" -max_total_time="${FUZZ_SECONDS:-20}" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$corpus-" -print_final_stats=1 "$corpus" >"$report/$1.log" 2>&1
  local status=$?
  tail -n 12 "$report/$1.log" | grep -E 'number_of_executed_units|ERROR|artifact' || true
  return $status
}

for target in "${targets[@]}"; do
  check "$target finds nothing" fuzz "$target"
done
finish

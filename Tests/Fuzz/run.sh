#!/usr/bin/env bash
# Feeds COUNT cases to each parser under the address sanitizer; ends with 1 at the first crash, hang or excess of memory.
# usage: Tests/Fuzz/run.sh DRIVER COUNT [PARSER…]
set -euo pipefail

driver=$1
count=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=${FUZZ_WORK:-.build/fuzz-cases}
[ $# -gt 0 ] || set -- "$here"/Corpus/*/

for parser in "$@"; do
  parser=$(basename "$parser")
  mkdir -p "$work/$parser" "$work/found"
  seeds=("$here/Corpus/$parser")
  if compgen -G "$here/../Fixtures/formats/*.$parser" >/dev/null; then
    mkdir -p "$work/fixtures-$parser"
    cp "$here"/../Fixtures/formats/*."$parser" "$work/fixtures-$parser"
    seeds+=("$work/fixtures-$parser")
  fi
  # Swift's backtracer would hold the run up when a case crashes; one allocation of more than 64 MiB is a find as well.
  SWIFT_BACKTRACE=enable=no NNJOBS_FUZZ_PARSER=$parser "$driver" -runs="$count" -max_len=4096 -timeout=1 \
    -malloc_limit_mb=64 -rss_limit_mb=2048 -print_final_stats=1 -dict="$here/words.dict" \
    -artifact_prefix="$work/found/$parser-" "$work/$parser" "${seeds[@]}" >"$work/$parser.log" 2>&1 || {
    tail -40 "$work/$parser.log" >&2
    echo "fuzz: $parser failed; the case is in $work/found, to be kept in $here/Corpus/$parser" >&2
    exit 1
  }
  cases=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$parser.log")
  slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$work/$parser.log")
  echo "fuzz: $parser: $cases cases, slowest $slowest s, no crash, memory within 16 times the case and 4 MiB"
done

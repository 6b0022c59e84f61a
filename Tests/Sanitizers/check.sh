#!/usr/bin/env bash
# Builds everything under a sanitizer and runs the tests; ends with 1 if one failed or a process reported anything.
# usage: [TESTS=ProcessingTests] Tests/Sanitizers/check.sh thread|address BUILD-OPTION…; TESTS is a regular expression, all if empty
set -uo pipefail
cd "$(dirname "$0")/../.."

sanitizer=$1
scratch=$PWD/.build/$sanitizer
reports=$scratch/reports
# Optimised: unoptimised code takes ten times as long under a sanitizer.
options=(-c release -Xswiftc -enable-testing "${@:2}" --sanitize="$sanitizer" --scratch-path "$scratch" -Xlinker "$scratch/linked.o")
# What cannot hold under a sanitizer; README.md says why.
left_out='^FuzzTests|EndToEnd/Size/'

rm -rf "$reports"
mkdir -p "$scratch"
# Some tests run a program as another user, who reports here too.
mkdir -m 1777 "$reports"
# Swift's calling convention is the toolchain's own clang's.
clang -O2 -Wall -Wextra -Werror -DREPORTS="\"$reports/report\"" -c "Tests/Sanitizers/$sanitizer.c" \
  -o "$scratch/linked.o" || exit
swift build --build-tests "${options[@]}" || exit

status=0
export NNJOBS_TESTS_SLOWED=10
# One test after the other: all beside each other, the engine's took several times as much of the processor.
.ci/test --skip-build --no-parallel "${options[@]}" --skip "$left_out" ${TESTS:+--filter "$TESTS"} || status=1
found=$(find "$reports" -type f | wc -l)
find "$reports" -type f -exec cat {} +
echo "$sanitizer sanitizer: $found processes reported something"
[ "$found" -eq 0 ] || status=1
exit $status

#!/usr/bin/env bash
# Runs the example jobs through the daemon on the repository's own jobs/ and results/, and shows what comes out.
# usage: demo.sh BINARIES      # the folder that has nnjobs and nnjobsd; `make demo` builds them first
set -euo pipefail
binaries=$(realpath "$1")
cd "$(dirname "$0")/../.."
PATH=$binaries:$PATH

# The repository's own queue, whatever this machine's configuration says.
export NNJOBS_JOBS=$PWD/jobs NNJOBS_RESULTS=$PWD/results NNJOBS_STATE=$PWD/.nnjobs
mkdir -p "$NNJOBS_STATE"

bold= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
show() {
  printf '%s$ %s%s\n' "$bold" "$*" "$plain"
  "$@"
}

say "the daemon starts on jobs/, results/ and .nnjobs/"
log=$NNJOBS_STATE/demo.log
: >"$log"
nnjobsd >>"$log" 2>&1 &
daemon=$!
stop() {
  kill -TERM "$daemon" 2>/dev/null || true
  wait "$daemon" || {
    echo "the daemon ended with $?; it said:" >&2
    cat "$log" >&2
    return 1
  }
}
trap 'stop || true' EXIT
# Its first line says that everything an earlier run left is in order and that it takes jobs.
until [ -s "$log" ]; do
  kill -0 "$daemon" 2>/dev/null || exit 1
  sleep 0.02
done
cat "$log"

say "six jobs are dropped: two small ones, three real networks, one of them in float32 as well, one of them recurrent"
submitted=$(show nnjobs submit docs/examples/{two-layer.json,xor.json,digits.safetensors,digits-dense.safetensors,diabetes.safetensors,sunspots.safetensors})
echo "$submitted"
mapfile -t ids < <(tail -n 6 <<<"$submitted")

say "how they stand"
nnjobs wait --timeout 300 "${ids[@]}" 2>"$NNJOBS_STATE/demo.wait" &
waiting=$!
if [ -t 1 ]; then
  # The table is drawn over itself until the last job has ended.
  lines=0
  while kill -0 "$waiting" 2>/dev/null; do
    table=$(nnjobs status --color always "${ids[@]}")
    [ $lines -eq 0 ] || printf '\e[%dA\e[J' "$lines"
    printf '%s\n' "$table"
    lines=$(wc -l <<<"$table")
    sleep 0.1
  done
  [ $lines -eq 0 ] || printf '\e[%dA\e[J' "$lines"
fi
wait "$waiting" || {
  cat "$NNJOBS_STATE/demo.wait" >&2
  nnjobs status "${ids[@]}"
  exit 1
}
show nnjobs status "${ids[@]}"

say "what came out"
for id in "${ids[@]}"; do show nnjobs result "$id"; done

say "how the digits were verified, as their job asks: the manifest says"
digits=$(nnjobs result --folder "${ids[2]}")
show grep '"check"' "$digits/manifest.json"

say "∂y₄/∂x of picture 111, a four that could be a nine: red pixels speak for the four, blue ones against it"
show nnjobs picture "$digits/input-jacobian.npy" --index 111,4 --shape 8x8
show nnjobs picture "$digits/input-jacobian.npy" --index 111,4 --shape 8x8 --output .build/four.png

say "SIGTERM: the daemon ends"
trap - EXIT
stop
echo "it ended with 0. The results stay in results/, the picture in .build/four.png"

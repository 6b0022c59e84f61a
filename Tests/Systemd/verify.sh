#!/usr/bin/env bash
# Checks the unit as installed: systemd finds nothing to say about it, and its exposure is at most 1.0.
# usage: verify.sh BINARIES      # the folder that has nnjobsd
set -euo pipefail
binaries=$(realpath "$1")
units=$(dirname "$0")/../../systemd
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# systemd-analyze wants the command to exist, so it gets the one that was built.
sed "s,^ExecStart=[^ ]*,ExecStart=$binaries/nnjobsd," "$units/nnjobs.service" >"$folder/nnjobs.service"

# An unknown key is only a line on standard error and ends with 0.
said=$(systemd-analyze --man=no verify "$folder/nnjobs.service" 2>&1) || true
[ -z "$said" ] || {
  echo "systemd-analyze --man=no verify: $said" >&2
  exit 1
}
# The threshold is in tenths.
rating=$(systemd-analyze security --offline=true --threshold=10 "$folder/nnjobs.service") || {
  echo "$rating" >&2
  exit 1
}
tail -1 <<<"$rating"

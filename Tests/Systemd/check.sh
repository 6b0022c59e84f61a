#!/usr/bin/env bash
# Puts the installed service through its life in a booted systemd: start, a user's job, kill -9, a missed watchdog, stop.
# usage: check.sh      (make check-systemd builds first; needs root)
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || exec sudo --preserve-env=PATH "$0" "$@"
. Tests/Systemd/machine.sh

folder=$(mktemp -d /tmp/nnjobs-systemd.XXXXXX)
finish() {
  local status=$?
  if [ $status -ne 0 ] && [ -n "${machine_init:-}" ]; then
    machine systemctl status --no-pager --lines=0 nnjobs || true
    machine journalctl --no-pager --unit nnjobs --lines=60 || true
  fi
  [ -z "${machine_cgroup:-}" ] || machine_stop
  rm -rf "$folder"
  [ $status -eq 0 ] || echo "check-systemd: FAILED in: $step" >&2
}
trap finish EXIT

step() {
  step=$*
  printf '• %s\n' "$step"
}
fail() {
  echo "  $*" >&2
  exit 1
}
# until_true SECONDS COMMAND…: repeats a question until the answer is yes.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || fail "not within the time: $*"
    sleep 0.05
  done
}
property() { machine systemctl show --property "$1" --value nnjobs; }
is() { [ "$(property "$1")" = "$2" ]; }
published() { machine test -s "/var/lib/nnjobs/results/$1/manifest.json"; }
as() { machine runuser --user "$1" -- "${@:2}"; }
# drop USER FILE NAME: as any program should, written beside the inbox and moved in.
drop() {
  machine install -o "$1" -g nnjobs -m 640 "/opt/examples/$2" "/var/lib/nnjobs/$1/$3"
  as "$1" mv "/var/lib/nnjobs/$1/$3" /var/lib/nnjobs/jobs/
}

step "install to a tree of its own"
make --no-print-directory install DESTDIR="$folder/tree" PREFIX=/usr/local >/dev/null
mkdir -p "$folder/tree/opt/examples" "$folder/tree/etc/systemd/system/nnjobs.service.d"
install -m 644 -t "$folder/tree/opt/examples" docs/examples/*.json docs/examples/*.safetensors
# The same unit, but it need not wait half a minute for its watchdog.
printf '[Service]\nWatchdogSec=2s\n' >"$folder/tree/etc/systemd/system/nnjobs.service.d/watchdog.conf"

step "boot systemd in namespaces"
machine_start "$folder/machine" "$folder/tree"

step "user and folders by sysusers and tmpfiles"
# A queue that this machine really has is no part of the test; what is removed is removed in memory.
machine rm -rf /var/lib/nnjobs
machine systemd-sysusers
machine systemd-tmpfiles --create nnjobs.conf
[ "$(machine stat -c '%U:%G %a' /var/lib/nnjobs/jobs)" = "nnjobs:nnjobs 3730" ] || fail "jobs/ is no drop box"
machine useradd --groups nnjobs nnjobs-member
machine useradd nnjobs-stranger
for user in nnjobs-member nnjobs-stranger; do machine install -d -o $user -g $user "/var/lib/nnjobs/$user"; done

step "systemctl start: READY and STATUS arrive"
machine systemctl start nnjobs
is ActiveState active || fail "state $(property ActiveState)"
[ -n "$(property StatusText)" ] || fail "no status"
echo "  $(property StatusText)"
[ "$(property User)" = nnjobs ] || fail "runs as $(property User)"

step "a member of the group drops a job, and it is published"
drop nnjobs-member xor.json xor.json
until_true 20 published xor
as nnjobs-member nnjobs status
as nnjobs-member cat /var/lib/nnjobs/results/xor/manifest.json >/dev/null || fail "a member cannot read the result"

step "nnjobs submit as that user, waiting for it"
id=$(as nnjobs-member nnjobs submit /opt/examples/diabetes.safetensors)
as nnjobs-member nnjobs wait "$id"
published diabetes || fail "not published"

step "a user outside the group can neither drop nor look"
if as nnjobs-stranger cp /opt/examples/xor.json /var/lib/nnjobs/jobs/nnjobs-stranger.json 2>/dev/null; then fail "a stranger dropped a job"; fi
if as nnjobs-stranger ls /var/lib/nnjobs/jobs >/dev/null 2>&1; then fail "a stranger reads the inbox"; fi
if as nnjobs-stranger ls /var/lib/nnjobs/results >/dev/null 2>&1; then fail "a stranger reads the results"; fi

step "a file that the service may not read is refused with the remedy, and the next one runs"
machine install -o nnjobs-member -g nnjobs-member -m 600 /opt/examples/xor.json /var/lib/nnjobs/nnjobs-member/secret.json
as nnjobs-member mv /var/lib/nnjobs/nnjobs-member/secret.json /var/lib/nnjobs/jobs/
refused() { machine test -s "/var/lib/nnjobs/jobs/refused/$1.reason.txt"; }
until_true 20 refused secret.json
as nnjobs-member cat /var/lib/nnjobs/jobs/refused/secret.json.reason.txt
drop nnjobs-member xor.json after-refusal.json
until_true 20 published after-refusal
is NRestarts 0 || fail "the daemon left"

step "kill -9 amid a queue: restarted, and every job is published"
for n in 1 2 3 4 5 6; do drop nnjobs-member digits-dense.safetensors "dense$n.safetensors"; done
for n in $(seq 20); do drop nnjobs-member two-layer.json "small$n.json"; done
until_true 20 published dense1
killed=$(property MainPID)
machine kill -KILL "$killed"
until_true 20 is NRestarts 1
until_true 20 is ActiveState active
[ "$(property MainPID)" != "$killed" ] || fail "the same process"
for n in 1 2 3 4 5 6; do until_true 60 published "dense$n"; done
for n in $(seq 20); do until_true 60 published "small$n"; done
[ -z "$(machine find /var/lib/nnjobs/results -maxdepth 1 -name '*-2')" ] || fail "a job ran twice"

step "stopped by SIGSTOP: the watchdog misses it, and it is restarted"
machine kill -STOP "$(property MainPID)"
until_true 30 is NRestarts 2
until_true 20 is ActiveState active
machine journalctl --no-pager --unit nnjobs | grep -q 'Watchdog timeout' || fail "no word of the watchdog in the journal"
drop nnjobs-member xor.json after-watchdog.json
until_true 20 published after-watchdog

step "systemctl stop amid a job: ended by SIGTERM, in order"
drop nnjobs-member digits-dense.safetensors last.safetensors
machine systemctl stop nnjobs
is ActiveState inactive || fail "state $(property ActiveState)"
is Result success || fail "result $(property Result)"
is ExecMainStatus 0 || fail "exit status $(property ExecMainStatus)"

step "started again: what was left is done"
machine systemctl start nnjobs
until_true 30 published last
machine systemctl stop nnjobs

step "nothing was denied and nothing crashed but by our hand"
if machine journalctl --no-pager --unit nnjobs | grep -Ei 'SIGSYS|status=31|core-dump|Fatal error'; then fail "see above"; fi

echo "check-systemd: all steps passed"

# A machine for service tests: Debian's own systemd as process 1 of namespaces of its own, on an overlay over this
# machine's files. What happens in it is in memory and gone afterwards; nothing is downloaded. To be sourced; needs root.
#
#   machine_start FOLDER [TREE]   boots; the files of TREE are put over the root before
#   machine COMMAND…              runs a command inside
#   machine_stop                  kills everything inside at once and cleans up

machine_start() {
  machine_folder=$1
  local tree=${2:-} cgroups init child state=
  mkdir -p "$machine_folder"/{memory,root}
  cgroups=$(findmnt --types cgroup2 --noheadings --output TARGET | head -1)
  machine_cgroup=$cgroups/nnjobs-machine-$$
  mkdir "$machine_cgroup"

  init=$machine_folder/init
  cat >"$init" <<'INIT'
set -euo pipefail
cd "$1"
mount -t tmpfs tmpfs memory
mkdir memory/{upper,work}
mount -t overlay -o lowerdir=/,upperdir=memory/upper,workdir=memory/work overlay root
[ -z "$2" ] || cp -a "$2/." root/
cd root

mount -t proc proc proc
# Sysctls are this kernel's, not the machine's: systemd-sysctl must not write them.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

# Only what the tests start shall run; without an id, systemd takes this for a first boot and enables every unit.
rm -rf etc/systemd/system/*.wants
echo 00000000000000000000000000000abc >etc/machine-id
hostname nnjobs-machine

mkdir .outside
pivot_root . .outside
umount --lazy /.outside
rmdir /.outside
exec env -i container=nnjobs PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --unit=multi-user.target --log-target=journal --show-status=0 </dev/null >/run/boot.log 2>&1
INIT

  (
    echo "$BASHPID" >"$machine_cgroup/cgroup.procs"
    exec unshare --fork --kill-child --pid --mount --uts --ipc --net --cgroup --propagation private \
      bash "$init" "$machine_folder" "$tree"
  ) >"$machine_folder/boot.out" 2>&1 &
  child=$!

  for _ in $(seq 400); do
    machine_init=$(pgrep --parent "$child" --exact systemd || true)
    if [ -n "$machine_init" ]; then
      state=$(machine systemctl is-system-running --wait 2>/dev/null || true)
      case $state in running | degraded) return 0 ;; esac
    fi
    kill -0 "$child" 2>/dev/null || break
    sleep 0.05
  done
  echo "the machine did not boot (state \"$state\"):" >&2
  cat "$machine_folder/boot.out" >&2
  machine_stop
  return 1
}

machine() { nsenter --target "$machine_init" --all -- "$@"; }

machine_stop() {
  # unshare ignores SIGTERM; process 1 takes its whole namespace with it.
  [ -z "${machine_init:-}" ] || kill -KILL "$machine_init" 2>/dev/null || true
  for _ in $(seq 100); do
    find "$machine_cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.1
  done
  rm -rf "$machine_folder"
}

// Loaded into a program of ours (LD_PRELOAD): counts its file-changing calls beneath one folder, over all threads, and at the
// chosen one kills the process, fails the call, or records what it did. Compiled by `make certify`; no part of the product.
//
//   FAULT_ROOT   the folder; calls elsewhere pass uncounted
//   FAULT_ROLE   daemon, worker or cli: only such a process counts (fault once: it is over for every later process too)
//   FAULT_AT     the number of the call, from 1      FAULT_CALL  counts calls of that name only
//   FAULT_ACT    kill, lie, or the number of an errno FAULT_LASTING  every later call of that name fails as well
//   FAULT_DONE   a file made when the fault struck   FAULT_LOG  a file that gets a line for every call
//   FAULT_CLOCK  seconds the clock is off while the file FAULT_CLOCK_FROM is there
//   FAULT_TAPE   a file that gets every call with its bytes, for a replay
//   FAULT_UNSYNCED  a pattern of paths beneath the folder: an fsync of such a one says that it did, and nothing was done
//   FAULT_BOOT   a file that is read instead of the kernel's boot id
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long (*real_syscall)(long, ...);
static char root[PATH_MAX], faulty[32], call_filter[32], act[16], done_path[PATH_MAX];
static int log_file = -1, tape = -1;
static long at, clock_offset;
static char clock_from[PATH_MAX], unsynced[PATH_MAX], boot[PATH_MAX];
static bool counts, lasting, struck;
static long count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *value(const char *name) {
  const char *text = getenv(name);
  return text ? text : "";
}

static const char *role(void) {
  static char words[4096];
  int file = (int)real_syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY, 0);
  long n = real_syscall(SYS_read, file, words, sizeof words - 1);
  real_syscall(SYS_close, file);
  words[n > 0 ? n : 0] = 0;
  const char *name = strrchr(words, '/') ? strrchr(words, '/') + 1 : words;
  return !strcmp(name, "nnjobsd") ? "daemon" : !strcmp(name, "nnjobs-worker") ? "worker"
       : !strcmp(name, "nnjobs") ? "cli" : "other";
}

static int append(const char *path) {
  if (!*path) return -1;
  int low = (int)real_syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  // Out of the way of the descriptors that a parent hands to its child by number.
  int high = (int)real_syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, 700);
  real_syscall(SYS_close, low);
  return high;
}

__attribute__((constructor)) static void begin(void) {
  real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  snprintf(root, sizeof root, "%s", value("FAULT_ROOT"));
  snprintf(call_filter, sizeof call_filter, "%s", value("FAULT_CALL"));
  snprintf(act, sizeof act, "%s", value("FAULT_ACT"));
  snprintf(done_path, sizeof done_path, "%s", value("FAULT_DONE"));
  clock_offset = atol(value("FAULT_CLOCK"));
  snprintf(clock_from, sizeof clock_from, "%s", value("FAULT_CLOCK_FROM"));
  snprintf(unsynced, sizeof unsynced, "%s", value("FAULT_UNSYNCED"));
  snprintf(boot, sizeof boot, "%s", value("FAULT_BOOT"));
  at = atol(value("FAULT_AT"));
  lasting = *value("FAULT_LASTING") != 0;
  const char *mine = role(), *wanted = value("FAULT_ROLE");
  counts = *root && strcmp(mine, "other") && (!*wanted || !strcmp(wanted, mine));
  if (counts) log_file = append(value("FAULT_LOG"));
  if (counts) tape = append(value("FAULT_TAPE"));
}

/// The whole path of a name, relative ones from the current folder or from `folder`.
static void whole(int folder, const char *name, char *path) {
  char base[PATH_MAX], link[64];
  if (name && *name == '/') { snprintf(path, PATH_MAX, "%s", name); return; }
  snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
  long n = real_syscall(SYS_readlink, link, base, sizeof base - 1);
  base[n > 0 ? n : 0] = 0;
  if (!name) { snprintf(path, PATH_MAX, "%s", base); return; }
  while (name[0] == '.' && name[1] == '/') name += 2;
  if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) path[0] = 0;
}

static bool beneath(const char *path) {
  size_t n = strlen(root);
  return !strncmp(path, root, n) && (path[n] == '/' || path[n] == 0);
}

static void say(int file, const char *format, ...) {
  char line[3 * PATH_MAX];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (file >= 0) real_syscall(SYS_write, file, line, n);
}

/// Whether this call shall go through; sets errno, or ends the process, where it shall not. 2: pretend that it did.
static int strike(const char *call, const char *path) {
  if (!counts || !beneath(path)) return 1;
  if (struck) {
    if (!strcmp(act, "lie")) return strncmp(call, "fsync", 5) && strcmp(call, "fdatasync") && strcmp(call, "syncfs") ? 1 : 2;
    if (lasting && !strcmp(faulty, call)) { errno = atoi(act); return 0; }
  }
  if (*call_filter && strcmp(call_filter, call)) return 1;
  pthread_mutex_lock(&lock);
  long mine = ++count;
  bool now = mine == at && (!*done_path || real_syscall(SYS_access, done_path, F_OK) != 0);
  say(log_file, "%s %s\n", call, path);
  if (now) {
    int file = (int)real_syscall(SYS_openat, AT_FDCWD, done_path, O_WRONLY | O_CREAT, 0600);
    say(file, "%s %s\n", call, path);
    real_syscall(SYS_close, file);
    snprintf(faulty, sizeof faulty, "%s", call);
    struck = true;
    if (!strcmp(act, "kill")) { real_syscall(SYS_kill, getpid(), SIGKILL); for (;;) real_syscall(SYS_pause); }
    errno = !strcmp(act, "lie") ? EIO : atoi(act);
  }
  pthread_mutex_unlock(&lock);
  return !now;
}

/// From the call to its record nothing else is taped, of no thread and no process: what follows from a call is taped behind it.
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static void hold(void) {
  if (tape < 0) return;
  pthread_mutex_lock(&order);
  while (real_syscall(SYS_flock, tape, LOCK_EX) != 0 && errno == EINTR) {}
}
static void let_go(void) {
  if (tape < 0) return;
  int saved = errno;
  real_syscall(SYS_flock, tape, LOCK_UN);
  errno = saved;
  pthread_mutex_unlock(&order);
}

/// One record: a line of facts, then the bytes.
static void record(const char *call, const char *path, const char *second, long long offset, const void *bytes, size_t size) {
  if (tape < 0 || !beneath(path)) return;
  static char *line;
  pthread_mutex_lock(&lock);
  int saved = errno;
  if (!line) line = malloc(3 * PATH_MAX + (1 << 22));
  size_t kept = bytes && size <= 1 << 22 ? size : 0;
  int n = snprintf(line, 3 * PATH_MAX, "%d\t%s\t%s\t%s\t%lld\t%zu\n", getpid(), call, path, second, offset, kept);
  if (kept) memcpy(line + n, bytes, kept);
  real_syscall(SYS_write, tape, line, n + kept);
  errno = saved;
  pthread_mutex_unlock(&lock);
}

static int open_one(int folder, const char *name, int flags, mode_t mode) {
  char path[PATH_MAX];
  if (*boot && !strcmp(name, "/proc/sys/kernel/random/boot_id")) name = boot;
  whole(folder, name, path);
  struct stat before;
  if (strike("openat", path) == 0) return -1;
  hold();
  bool is_new = (flags & O_CREAT) && lstat(path, &before) != 0;
  int file = (int)real_syscall(SYS_openat, folder, name, flags, mode);
  if (file >= 0 && is_new) record("create", path, "", 0, NULL, 0);
  else if (file >= 0 && (flags & O_TRUNC)) record("truncate", path, "", 0, NULL, 0);
  let_go();
  return file;
}

#define OPEN(name) int name(const char *path, int flags, ...) { \
  va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
  return open_one(AT_FDCWD, path, flags, mode); }
OPEN(open)
OPEN(open64)
#define OPENAT(name) int name(int folder, const char *path, int flags, ...) { \
  va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
  return open_one(folder, path, flags, mode); }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *bytes, size_t size) {
  char path[PATH_MAX];
  if (!real_syscall) begin();
  if (!counts) return real_syscall(SYS_write, file, bytes, size);
  whole(file, NULL, path);
  if (strike("write", path) == 0) return -1;
  hold();
  long long offset = lseek(file, 0, SEEK_CUR);
  ssize_t n = real_syscall(SYS_write, file, bytes, size);
  if (n > 0) record("write", path, "", offset, bytes, n);
  let_go();
  return n;
}

static ssize_t write_at(int file, const void *bytes, size_t size, off_t offset) {
  char path[PATH_MAX];
  whole(file, NULL, path);
  if (strike("pwrite64", path) == 0) return -1;
  hold();
  ssize_t n = real_syscall(SYS_pwrite64, file, bytes, size, offset);
  if (n > 0) record("write", path, "", offset, bytes, n);
  let_go();
  return n;
}
ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) { return write_at(file, bytes, size, offset); }
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) { return write_at(file, bytes, size, offset); }

static int on_file(const char *call, const char *taped, int file, long number, long long first, long long second) {
  char path[PATH_MAX];
  whole(file, NULL, path);
  int go = strike(call, path);
  if (go != 1) return go == 2 ? 0 : -1;
  if (*unsynced && strstr(taped, "sync") && beneath(path) && path[strlen(root)]
      && !fnmatch(unsynced, path + strlen(root) + 1, 0)) return 0;
  hold();
  int result = (int)real_syscall(number, file, first, second);
  if (result == 0 && *taped) record(taped, path, "", first, NULL, 0);
  let_go();
  return result;
}
int fsync(int file) { return on_file("fsync", "sync", file, SYS_fsync, 0, 0); }
int fdatasync(int file) { return on_file("fdatasync", "sync", file, SYS_fdatasync, 0, 0); }
int syncfs(int file) { return on_file("syncfs", "syncall", file, SYS_syncfs, 0, 0); }
int ftruncate(int file, off_t size) { return on_file("ftruncate", "truncate", file, SYS_ftruncate, size, 0); }
int ftruncate64(int file, off64_t size) { return on_file("ftruncate", "truncate", file, SYS_ftruncate, size, 0); }
int close(int file) {
  if (!real_syscall) begin();
  if (!counts || file >= 700) return counts && file >= 700 ? 0 : (int)real_syscall(SYS_close, file);
  char path[PATH_MAX];
  whole(file, NULL, path);
  int go = strike("close", path);
  int saved = errno;
  int result = (int)real_syscall(SYS_close, file);
  if (go == 0) { errno = saved; return -1; }
  return result;
}

static int allocate(int file, off_t offset, off_t size) {
  char path[PATH_MAX];
  whole(file, NULL, path);
  if (strike("fallocate", path) == 0) return errno;
  hold();
  int failure = real_syscall(SYS_fallocate, file, 0, offset, size) == 0 ? 0 : errno;
  if (failure == 0) record("extend", path, "", offset + size, NULL, 0);
  let_go();
  return failure;
}
int posix_fallocate(int file, off_t offset, off_t size) { return allocate(file, offset, size); }
int posix_fallocate64(int file, off64_t offset, off64_t size) { return allocate(file, offset, size); }

static int on_name(const char *call, const char *name, long number, long argument) {
  char path[PATH_MAX];
  whole(AT_FDCWD, name, path);
  if (strike(call, path) == 0) return -1;
  hold();
  int result = (int)real_syscall(number, name, argument);
  if (result == 0) record(call, path, "", 0, NULL, 0);
  let_go();
  return result;
}
int unlink(const char *name) { return on_name("unlink", name, SYS_unlink, 0); }
int rmdir(const char *name) { return on_name("rmdir", name, SYS_rmdir, 0); }
int mkdir(const char *name, mode_t mode) { return on_name("mkdir", name, SYS_mkdir, mode); }
int unlinkat(int folder, const char *name, int flags) {
  char path[PATH_MAX];
  whole(folder, name, path);
  if (strike("unlinkat", path) == 0) return -1;
  hold();
  int result = (int)real_syscall(SYS_unlinkat, folder, name, flags);
  if (result == 0) record(flags & AT_REMOVEDIR ? "rmdir" : "unlink", path, "", 0, NULL, 0);
  let_go();
  return result;
}

static int on_two(const char *call, const char *from, const char *to, long number, unsigned flags) {
  char first[PATH_MAX], second[PATH_MAX];
  whole(AT_FDCWD, from, first);
  whole(AT_FDCWD, to, second);
  if (strike(call, first) == 0) return -1;
  hold();
  int result = (int)real_syscall(number, AT_FDCWD, from, AT_FDCWD, to, flags);
  if (result == 0) record(number == SYS_linkat ? "link" : "rename", first, second, 0, NULL, 0);
  let_go();
  return result;
}
int rename(const char *from, const char *to) { return on_two("rename", from, to, SYS_renameat2, 0); }
int link(const char *from, const char *to) { return on_two("link", from, to, SYS_linkat, 0); }

/// The product makes calls that its C library does not wrap through this one.
long syscall(long number, ...) {
  va_list more;
  va_start(more, number);
  long a = va_arg(more, long), b = va_arg(more, long), c = va_arg(more, long), d = va_arg(more, long);
  long e = va_arg(more, long), f = va_arg(more, long);
  va_end(more);
  if (!real_syscall) begin();
  if (number == SYS_renameat2) return on_two("renameat2", (const char *)b, (const char *)d, SYS_renameat2, (unsigned)e);
  if (number == SYS_syncfs) return syncfs((int)a);
  if (number == SYS_sync_file_range) {
    char path[PATH_MAX];
    whole((int)a, NULL, path);
    if (strike("sync_file_range", path) == 0) return -1;
  }
  return real_syscall(number, a, b, c, d, e, f);
}

static long off(void) {
  return clock_offset && real_syscall(SYS_access, clock_from, F_OK) == 0 ? clock_offset : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!real_syscall) begin();
  int result = (int)real_syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += off();
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec exact;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  if (now) *now = exact.tv_sec;
  return exact.tv_sec;
}

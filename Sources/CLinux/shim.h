#pragma once
// What Glibc's Swift module does not show: variadic calls, and calls behind _GNU_SOURCE, which must not be defined here
// (it changes the members of fd_set, and the compiler then sees two of them).
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

// renameat2(2) with RENAME_NOREPLACE: EEXIST when the new name is taken.
static inline int nnjobs_rename_noreplace(const char *from, const char *to) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1u);
}

// prctl(2) is variadic; the name is what `ps` and `top` show of a worker.
static inline int nnjobs_set_process_name(const char *name) {
  return prctl(PR_SET_NAME, (unsigned long)name, 0ul, 0ul, 0ul);
}

// The number of cores this process may run on, by sched_getaffinity(2).
static inline int nnjobs_usable_cores(void) {
  unsigned long mask[128];
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  int count = 0;
  for (long i = 0; i < bytes / (long)sizeof mask[0]; i++) count += __builtin_popcountl(mask[i]);
  return count > 0 ? count : 1;
}

// An open file description lock (fcntl(2)): held until this description is closed, 0 when taken.
static inline int nnjobs_lock_file(int fd) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(fd, F_OFD_SETLK, &lock);
}

// Whether another description holds such a lock; takes none itself.
static inline int nnjobs_is_file_locked(int fd) {
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

// syncfs(2).
static inline int nnjobs_syncfs(int fd) { return (int)syscall(SYS_syncfs, fd); }

// sync_file_range(2): begins to write `count` bytes back, and waits for them when `wait` is set; 0 when all went well.
static inline int nnjobs_sync_file_range(int fd, off_t offset, off_t count, int wait) {
  enum { wait_before = 1, write_out = 2, wait_after = 4 };
  return (int)syscall(
      SYS_sync_file_range, fd, offset, count, write_out | (wait ? wait_before | wait_after : 0));
}

// fcntl(2) is variadic: whether reads and writes on this descriptor return at once (EAGAIN).
static inline int nnjobs_set_nonblocking(int fd) { return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

// pipe2(2): both ends close on exec and never wait.
static inline int nnjobs_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK); }

// getopt_long(3) speaks through globals, which Swift does not let one touch; here it answers in a struct.
struct nnjobs_option_found {
  int code;           // -1: no option left; '?' and ':' as getopt_long(3) says
  const char *value;  // optarg
  int next;           // optind
  int culprit;        // optopt
};
static inline void nnjobs_options_restart(void) {
  optind = 0;  // GNU: start anew, also reading a "+" or ":" in front of the short options
  opterr = 0;
}
static inline struct nnjobs_option_found nnjobs_next_option(
    int argc, char *const *argv, const char *short_options, const struct option *long_options) {
  optarg = 0;
  optopt = 0;
  int code = getopt_long(argc, argv, short_options, long_options, 0);
  struct nnjobs_option_found found = {code, optarg, optind, optopt};
  return found;
}

// ioctl(2) is variadic: how many columns the terminal has, 0 when the descriptor is none.
static inline int nnjobs_terminal_columns(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

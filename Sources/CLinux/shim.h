#pragma once
// What Glibc's Swift module does not show: calls behind _GNU_SOURCE, and variadic ones.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

// renameat2(2) with RENAME_NOREPLACE: EEXIST when the new name is taken.
static inline int nnjobs_rename_noreplace(const char *from, const char *to) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1u);
}

// prctl(2) is variadic; a process with a high score is the kernel's first choice when memory runs out.
static inline int nnjobs_set_process_name(const char *name) {
  return prctl(PR_SET_NAME, (unsigned long)name, 0ul, 0ul, 0ul);
}

// The number of cores this process may run on.
static inline int nnjobs_usable_cores(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int count = CPU_COUNT(&set);
  return count > 0 ? count : 1;
}

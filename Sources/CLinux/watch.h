#pragma once
// Watching programs at their file-changing system calls, for `nnjobs doctor --crash-test`: a seccomp filter stops them at
// these calls only, ptrace(2) tells of each stop, and every other call runs at full speed. What Swift cannot do itself
// (fork, ptrace, a filter's instructions) is here; what is done at a stop is decided there.
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// One kind of call that changes files: its number and name, and the argument that says which file, a path or a descriptor.
struct nnjobs_file_call {
  int number;
  const char *name;
  int place;
  int is_path;
  // The argument with the flags of an open, which changes something only when it may make or empty a file; 0 otherwise.
  int flags;
};

static const struct nnjobs_file_call nnjobs_file_calls[] = {
#define PATH(call, place) {SYS_##call, #call, place, 1, 0}
#define DESCRIPTOR(call, place) {SYS_##call, #call, place, 0, 0}
    DESCRIPTOR(write, 0), DESCRIPTOR(writev, 0), DESCRIPTOR(pwrite64, 0), DESCRIPTOR(pwritev, 0),
    DESCRIPTOR(pwritev2, 0), DESCRIPTOR(sendfile, 0), DESCRIPTOR(copy_file_range, 2), DESCRIPTOR(splice, 2),
    DESCRIPTOR(fsync, 0), DESCRIPTOR(fdatasync, 0), DESCRIPTOR(syncfs, 0), DESCRIPTOR(ftruncate, 0),
    DESCRIPTOR(fallocate, 0), DESCRIPTOR(fchmod, 0), DESCRIPTOR(fchown, 0), DESCRIPTOR(fsetxattr, 0),
    PATH(renameat2, 3), PATH(linkat, 3), PATH(unlinkat, 1), PATH(symlinkat, 2), PATH(mkdirat, 1), PATH(mknodat, 1),
    PATH(fchmodat, 1), PATH(fchownat, 1), PATH(utimensat, 1), PATH(truncate, 0), PATH(setxattr, 0),
    {SYS_openat, "openat", 1, 1, 2},
// Calls that newer architectures leave out.
#ifdef SYS_open
    PATH(rename, 1), PATH(renameat, 3), PATH(link, 1), PATH(unlink, 0), PATH(symlink, 1), PATH(mkdir, 0), PATH(rmdir, 0),
    PATH(chmod, 0), PATH(chown, 0), PATH(creat, 0), {SYS_open, "open", 0, 1, 1},
#endif
#undef PATH
#undef DESCRIPTOR
};
enum { nnjobs_file_call_count = sizeof nnjobs_file_calls / sizeof nnjobs_file_calls[0] };

// The kind of call of that number, or 0.
static inline const struct nnjobs_file_call *nnjobs_file_call_of(int number) {
  for (int i = 0; i < nnjobs_file_call_count; i++)
    if (nnjobs_file_calls[i].number == number) return &nnjobs_file_calls[i];
  return 0;
}

// Stops this process, and whatever it becomes or starts, at every call of the table; 0 when it will, otherwise errno.
static inline int nnjobs_stop_at_file_calls(void) {
#if defined(__x86_64__)
  enum { architecture = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
  enum { architecture = AUDIT_ARCH_AARCH64 };
#else
  enum { architecture = 0 };
#endif
  struct sock_filter filter[4 + 5 * nnjobs_file_call_count];
  unsigned short n = 0;
#define LOAD(field) (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(test, value, skipped) (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, value, 0, skipped)
#define ANSWER(answer) (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer)
  filter[n++] = LOAD(arch);
  filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
  filter[n++] = ANSWER(SECCOMP_RET_ALLOW);
  filter[n++] = LOAD(nr);
  for (int i = 0; i < nnjobs_file_call_count; i++) {
    const struct nnjobs_file_call *call = &nnjobs_file_calls[i];
    filter[n++] = UNLESS(BPF_JEQ, call->number, call->flags ? 4 : 1);
    if (call->flags) {
      filter[n++] = LOAD(args[call->flags]);  // little-endian: the lower half, which has every flag
      filter[n++] = UNLESS(BPF_JSET, O_CREAT | O_TRUNC, 1);
    }
    filter[n++] = ANSWER(SECCOMP_RET_TRACE);
    if (call->flags) filter[n++] = ANSWER(SECCOMP_RET_ALLOW);
  }
  filter[n++] = ANSWER(SECCOMP_RET_ALLOW);
#undef LOAD
#undef UNLESS
#undef ANSWER
  struct sock_fprog program = {n, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return errno;
  return 0;
}

// Starts a program in a folder with standard output and error into `log`, and watches it where asked; it ends with the
// calling thread, which alone may ask for its stops. Its process, or minus errno; *forbids names the call that failed.
static inline pid_t nnjobs_start_watched(
    const char *program, char *const *words, char *const *settings, const char *folder, int log, int watches,
    const char **forbids) {
  int gate[2], news[2];
  *forbids = "pipe";
  if (syscall(SYS_pipe2, gate, O_CLOEXEC)) return -errno;
  if (syscall(SYS_pipe2, news, O_CLOEXEC)) {
    int code = errno;
    close(gate[0]), close(gate[1]);
    return -code;
  }
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    char byte;
    int code = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    setpgid(0, 0);  // Ctrl-C is for the caller
    signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
    int nothing = open("/dev/null", O_RDONLY);
    if (getppid() != parent || chdir(folder) || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(126);
    if (watches) {
      // Nothing can be written once the filter is there: the caller reads and would not let the call pass.
      if (read(gate[0], &byte, 1) != 1) _exit(126);
      code = nnjobs_stop_at_file_calls();
      if (code) _exit(write(news[1], &code, sizeof code) > 0 ? 125 : 126);
    }
    execve(program, words, settings);
    _exit(127);
  }
  int code = child < 0 ? errno : 0;
  *forbids = "fork";
  close(gate[0]), close(news[1]);
  if (!code && watches) {
    *forbids = "ptrace";
    unsigned long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                            PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, child, 0, options) || write(gate[1], "", 1) != 1) code = errno;
  }
  int told = 0;
  if (!code && read(news[0], &told, sizeof told) == sizeof told) *forbids = "seccomp", code = told;
  close(gate[1]), close(news[0]);
  if (!code) return child;
  if (child > 0) {
    int status;
    kill(child, SIGKILL);
    waitpid(child, &status, __WALL);
  }
  return -code;
}

// What the watched and started programs of this thread have to tell.
struct nnjobs_news {
  enum { nnjobs_nothing_new, nnjobs_file_call_begins, nnjobs_process_ended, nnjobs_nobody_left } kind;
  pid_t task;                         // the thread or process it is about
  int status;                         // of one that ended, as waitpid(2) gives it
  int call;                           // the number of the call that begins; the task stands still until it is let on
  unsigned long long arguments[6];
};

// The next thing to be told, without waiting; stops of no interest are passed over.
static inline struct nnjobs_news nnjobs_next_news(void) {
  struct nnjobs_news news = {nnjobs_nothing_new, 0, 0, 0, {0}};
  for (;;) {
    news.task = waitpid(-1, &news.status, __WALL | __WNOTHREAD | WNOHANG);
    if (news.task < 0 && errno == EINTR) continue;
    if (news.task <= 0) {
      news.kind = news.task == 0 ? nnjobs_nothing_new : nnjobs_nobody_left;
      return news;
    }
    if (!WIFSTOPPED(news.status)) {
      news.kind = nnjobs_process_ended;
      return news;
    }
    int event = news.status >> 16;
    struct __ptrace_syscall_info call;
    if (event == PTRACE_EVENT_SECCOMP && ptrace(PTRACE_GET_SYSCALL_INFO, news.task, sizeof call, &call) > 0 &&
        call.op == PTRACE_SYSCALL_INFO_SECCOMP) {
      news.kind = nnjobs_file_call_begins;
      news.call = (int)call.seccomp.nr;
      for (int i = 0; i < 6; i++) news.arguments[i] = call.seccomp.args[i];
      return news;
    }
    // A signal is handed on; news of a new task, and a stop, are not.
    ptrace(PTRACE_CONT, news.task, 0, event ? 0 : WSTOPSIG(news.status));
  }
}

// Lets a task that stands before a call do it.
static inline void nnjobs_let_on(pid_t task) { ptrace(PTRACE_CONT, task, 0, 0); }

// Whether a task is a thread of that process.
static inline int nnjobs_is_thread_of(pid_t process, pid_t task) { return syscall(SYS_tgkill, process, task, 0) == 0; }

import Formats
import Glibc

/// Limits a worker sets for itself before its first job.
enum ResourceLimits {
  /// Opens as many files as the kernel allows, dumps no core, and offers itself first when memory runs out.
  static func prepareWorker() {
    var files = rlimit()
    if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
      files.rlim_cur = files.rlim_max
      _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    }
    var core = rlimit(rlim_cur: 0, rlim_max: 0)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
    // proc(5): a process may always raise its own score. A worker's death costs one attempt, the daemon's all.
    if let score = try? Descriptor(opening: "/proc/self/oom_score_adj", O_WRONLY) {
      try? score.write(Array("500".utf8), at: 0)
    }
  }
}

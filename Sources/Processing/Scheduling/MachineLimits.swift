import CLinux
package import Formats
import Glibc

/// What this machine offers to all running jobs together.
package struct MachineLimits: Hashable, Sendable {
  /// Bytes a process of ours takes before its first number: code, OpenBLAS, thread stacks.
  package static let processMemory = 48 << 20

  /// Cores this process may use: its affinity and its control group's quota, whichever is less.
  package let cores: Int
  /// Bytes of memory that running jobs may plan to use.
  package let memory: Int

  /// States limits, as from a configuration.
  package init(cores: Int, memory: Int) {
    self.cores = cores
    self.memory = memory
  }

  /// Measures this machine; `memory` is 0.8 of what it has, or of its control group's limit.
  package static func ofThisMachine() -> MachineLimits {
    var cores = Int(nnjobs_usable_cores())
    var memory = Int.max
    if let line = firstNumber(after: "MemTotal:", in: "/proc/meminfo") { memory = line << 10 }
    let group = controlGroup
    if let limit = firstNumber(after: "", in: group + "/memory.max") { memory = min(memory, limit) }
    if let quota = firstNumber(after: "", in: group + "/cpu.max"),
      let period = KernelFile.text(of: group + "/cpu.max").split(separator: " ").last.flatMap({
        Int($0.prefix { $0.isNumber })
      }),
      period > 0
    {
      cores = min(cores, max(1, quota / period))
    }
    return MachineLimits(cores: cores, memory: memory == Int.max ? 1 << 30 : memory / 10 * 8)
  }

  /// Free bytes on the file system of a folder, for users without privileges.
  package static func freeDisk(at path: String) throws(SystemError) -> Int {
    var status = statvfs()
    try SystemCall.retrying("ask the free space of", path) { unsafe statvfs(path, &status) }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  /// Bytes of the whole file system of a folder, used or free.
  package static func wholeDisk(at path: String) throws(SystemError) -> Int {
    var status = statvfs()
    try SystemCall.retrying("ask the size of", path) { unsafe statvfs(path, &status) }
    return Int(status.f_blocks) * Int(status.f_frsize)
  }

  private static var controlGroup: String {
    let path = KernelFile.text(of: "/proc/self/cgroup").split(separator: "\n")
      .first { $0.hasPrefix("0::") }
    return "/sys/fs/cgroup" + (path?.dropFirst(3) ?? "")
  }

  private static func firstNumber(after key: String, in path: String) -> Int? {
    let content = KernelFile.text(of: path)
    guard let line = content.split(separator: "\n").first(where: { $0.hasPrefix(key) }) else {
      return nil
    }
    return Int(line.dropFirst(key.count).drop { $0 == " " }.prefix { $0.isNumber })
  }
}

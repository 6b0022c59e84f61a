import CLinux
package import Formats
import Glibc
import Synchronization

/// A worker as the daemon sees it: its process and the channel to it.
///
/// Driven by one slot's queue; only `cancel`, `giveBack` and `kill` may come from elsewhere.
package final class WorkerProcess: Sendable {
  /// The descriptor on which a worker finds its channel.
  package static let channelDescriptor: Int32 = 3

  private let process: Mutex<pid_t?>
  private let channel: MessageChannel
  private let words: Descriptor

  /// Starts `executable worker`; an order may be sent at once, and one that dies while it starts just ends.
  package init(executable: String = "/proc/self/exe") throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try SystemCall.retrying("make a socket pair for", "a worker") {
      unsafe socketpair(
        AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
    }
    let ours = Descriptor(owning: ends[0], path: "channel to worker")
    let theirs = Descriptor(owning: ends[1], path: "channel of worker")
    // Neither end waits: a worker that writes more than the pipe holds loses the rest, and goes on.
    var pipe: [Int32] = [-1, -1]
    try SystemCall.retrying("make a pipe for", "a worker") { unsafe nnjobs_pipe(&pipe) }
    words = Descriptor(owning: pipe[0], path: "standard error of worker")
    let mouth = Descriptor(owning: pipe[1], path: "standard error of worker")
    let pid = try WorkerProcess.spawn(executable, channel: theirs.number, errors: mouth.number)
    try mouth.close()
    try theirs.close()
    process = Mutex(pid)
    channel = MessageChannel(owning: ours)
  }

  deinit {
    kill(SIGKILL)
    _ = reap()
  }

  /// Orders a job; false when the worker is gone.
  package func run(_ order: WorkOrder) -> Bool { channel.send(WorkerRequest.run(order)) }

  /// Asks to stop a job between two blocks.
  package func cancel(id: Int64) { _ = channel.send(WorkerRequest.cancel(id: id)) }

  /// Asks to stop a job between two blocks and to keep what is done.
  package func giveBack(id: Int64) { _ = channel.send(WorkerRequest.giveBack(id: id)) }

  /// The worker's next word; nil once it is gone.
  package func nextReply() -> WorkerReply? { channel.receive(WorkerReply.self) }

  /// The lines it wrote to its standard error since this was last asked, 64 KiB at most; never waits.
  package func takeWords() -> [String] {
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = unsafe read(words.number, &bytes, bytes.count)
    return bytes.prefix(max(0, count)).split(separator: 10).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// Sends a signal, unless the process has been reaped, so that a reused number is never hit.
  package func kill(_ signal: Int32) {
    process.withLock { pid in if let pid { _ = Glibc.kill(pid, signal) } }
  }

  /// Waits for the process to end and says how it did.
  package func reap() -> ProcessEnd {
    // The lock is not held while waiting, so that `kill` can end a process that hangs in its exit.
    guard let pid = process.withLock({ $0 }) else { return .exited(0) }
    var status: Int32 = 0
    while waitid(P_PID, id_t(pid), nil, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
    process.withLock { $0 = nil }
    while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return ProcessEnd(status: status)
  }

  private static func spawn(
    _ executable: String, channel: Int32, errors: Int32
  ) throws(SystemError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    // 2 first: that the errors' number is the channel's would close it.
    unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
    unsafe posix_spawn_file_actions_adddup2(&actions, channel, channelDescriptor)

    let role = ["nnjobs-worker", "worker"]
    var words = unsafe role.map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    // A group of its own: Ctrl-C in the daemon's terminal is for the daemon, which then tells its workers.
    return try unsafe ChildStart.start(
      executable, words, settings: environ, &actions, leadsGroup: true)
  }
}

/// How a process ended.
package enum ProcessEnd: Hashable, Sendable {
  /// By itself, with this status.
  case exited(Int32)
  /// By this signal.
  case signalled(Int32)

  /// Reads a status of waitpid(2).
  package init(status: Int32) {
    self = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
  }

  /// As `was killed by SIGKILL (Killed)` or `exited with status 3`.
  package var sentence: String {
    switch self {
    case .exited(BusError.exitStatus):
      "found its job file shorter than it was, or unreadable"
    case .exited(let status): "exited with status \(status)"
    case .signalled(let signal):
      unsafe "was killed by signal \(signal) (\(String(cString: strsignal(signal))))"
    }
  }
}

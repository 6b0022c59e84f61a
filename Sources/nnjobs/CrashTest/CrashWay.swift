import Processing
import Store

/// A way that jobs take, which is cut short at each of its file-changing calls.
enum CrashWay: String, CaseIterable, Sendable {
  /// The first daemon of a new queue, which refuses a file.
  case firstStart = "first start, refuse"
  /// A daemon that takes in, runs, publishes, fails and cancels jobs.
  case serve = "start, admit, run, finish, fail, cancel, stop"
  /// Its workers.
  case compute = "compute and write"
  /// `nnjobs submit`.
  case submit
  /// `nnjobs cancel`.
  case cancel

  /// Who is killed, in a word.
  var victim: String {
    switch self {
    case .firstStart, .serve: "daemon"
    case .compute: "worker"
    case .submit, .cancel: "command"
    }
  }

  /// Whose calls are counted.
  var role: Watch.Role { self == .compute ? .workers : .program }

  /// Whether the way is that of a daemon, which ends only when it is told to.
  var isDaemon: Bool { self == .firstStart || self == .serve || self == .compute }

  /// The words behind the name of nnjobsd or nnjobs.
  var words: [String] {
    switch self {
    case .firstStart, .serve, .compute: CrashWay.daemonWords
    case .submit: ["submit", CrashWay.ownFile]
    case .cancel: ["cancel", "\(CrashQueue.held)"]
    }
  }

  /// What every daemon is told.
  static let daemonWords = ["--workers", "1", "--grace", "1"]
  /// The user's own file, which `submit` copies.
  static let ownFile = "own.json"

  /// Fills the new queue.
  func prepare(_ queue: CrashQueue) throws {
    switch self {
    case .firstStart: try queue.drop(CrashJobs.refused, as: "refused.json")
    case .serve, .compute:
      try queue.addHeldJob(CrashJobs.succeeding, named: "cancelled.json")
      _ = try ControlFile(
        ControlRequest(.cancel, CrashQueue.held), in: queue.folders)
      try queue.drop(CrashJobs.failing, as: "failing.json")
      try queue.drop(CrashJobs.succeeding, as: "succeeding.json")
    case .submit:
      try FolderTree.write(
        Array(CrashJobs.succeeding.utf8), to: "\(queue.folder)/\(CrashWay.ownFile)")
    case .cancel: try queue.addHeldJob(CrashJobs.succeeding, named: "cancelled.json")
    }
  }

  /// What must be there in the end; `isAcknowledged` tells whether the command said that it was done.
  func expectations(isAcknowledged: Bool) -> [CrashJudge.Expectation] {
    switch self {
    case .firstStart: [.init(name: "refused.json", states: [.refused])]
    case .serve, .compute:
      [
        .init(name: "cancelled", states: [.cancelled]), .init(name: "failing", states: [.failed]),
        .init(name: "succeeding", states: [.succeeded]),
      ]
    case .submit:
      [.init(name: "own", states: [.succeeded], mayBeMissing: !isAcknowledged)]
    case .cancel:
      [.init(name: "cancelled", states: isAcknowledged ? [.cancelled] : [.cancelled, .queued])]
    }
  }
}

/// What the process says to its caller; the numbers are documented and never change.
enum ExitCode: Int32, Sendable, CaseIterable {
  /// Done.
  case done = 0
  /// A job did not succeed.
  case jobFailed = 1
  /// No such job, or nothing affected.
  case noSuchJob = 2
  /// `wait` waited long enough.
  case timedOut = 3
  /// The store or the daemon is out of reach.
  case unreachable = 4
  /// The job is someone else's.
  case notPermitted = 5
  /// The job does not fit this machine.
  case doesNotFit = 6
  /// The file is no valid job file.
  case invalidJobFile = 7
  /// The command line is wrong.
  case usage = 64
  /// This program is wrong.
  case bug = 70
  /// Reading or writing failed.
  case inputOutput = 74
  /// The user interrupted.
  case interrupted = 130

  /// What it means, in a few words.
  var meaning: String {
    switch self {
    case .done: "done"
    case .jobFailed: "a job did not succeed, or something is to be put right"
    case .noSuchJob: "no such job, or nothing affected"
    case .timedOut: "waited long enough"
    case .unreachable: "store or daemon out of reach"
    case .notPermitted: "not permitted"
    case .doesNotFit: "does not fit"
    case .invalidJobFile: "no valid job file"
    case .usage: "usage"
    case .bug: "a bug"
    case .inputOutput: "input or output failed"
    case .interrupted: "interrupted"
    }
  }
}

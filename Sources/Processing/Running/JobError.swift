package import Formats
package import Jacobians

/// Why a job did not succeed: a code for programs and a sentence for people.
package struct JobError: Error, Hashable, Sendable, Codable {
  /// What kind of failure it is; `status --json` shows it as `reason.code`.
  package enum Code: String, Sendable, Codable, CaseIterable {
    /// The file is no valid job.
    case invalid
    /// The file ends too early to be one, and may still grow.
    case incomplete
    /// It needs more memory or disk than the machine has.
    case doesNotFit = "does-not-fit"
    /// The disk filled up while it ran.
    case diskFull = "disk-full"
    /// The machine had no process, file descriptor or memory left for it.
    case shortage
    /// Reading or writing failed.
    case inputOutput = "input-output"
    /// Its results did not pass their check.
    case verification
    /// It ran for longer than it may.
    case timeLimit = "time-limit"
    /// Its worker process ended before it did.
    case workerDied = "worker-died"
    /// Its worker process ended before it did, as often as is allowed.
    case quarantined
    /// It was cancelled by its owner or root.
    case cancelled
    /// Something that should not happen did.
    case fault
  }

  /// Whether nothing is wrong with the job, and the same attempt may succeed later.
  package var mayPass: Bool { code == .diskFull || code == .shortage }

  /// What kind of failure it is.
  package let code: Code
  /// Verb, object, reason and remedy.
  package let sentence: String

  /// Describes a failure.
  package init(_ code: Code, _ sentence: String) {
    self.code = code
    self.sentence = sentence
  }

  /// A job file that cannot be read.
  package init(_ error: FormatError) {
    self.init(error.isIncomplete ? .incomplete : .invalid, error.sentence)
  }

  /// A job whose requests cannot be planned.
  package init(_ error: PlanError, file: String) {
    let remedy = error.remedy.map { "; " + $0 } ?? ""
    self.init(.invalid, "cannot plan \(file): \(error.place): \(error.reason)\(remedy)")
  }

  /// A failed system call; what may pass is told apart.
  package init(_ error: SystemError) {
    self.init(
      error.isDiskFull ? .diskFull : error.isShortage ? .shortage : .inputOutput, error.sentence)
  }

  /// Whatever was thrown where no narrower type is known.
  package init(_ error: any Error, file: String) {
    switch error {
    case let error as JobError: self = error
    case let error as FormatError: self.init(error)
    case let error as SystemError: self.init(error)
    case let error as PlanError: self.init(error, file: file)
    case is CancellationError: self.init(.cancelled, "\(file) was cancelled")
    default: self.init(.fault, "cannot compute \(file): \(error)")
    }
  }

  /// Runs `body`; a failed system call becomes a failure of the job.
  package static func ofSystem<Value: ~Copyable>(
    _ body: () throws(SystemError) -> Value
  ) throws(JobError) -> Value {
    do throws(SystemError) { return try body() } catch { throw JobError(error) }
  }
}

import Formats
import Glibc

/// What a job and a user are limited to, as the configuration says.
package struct QueueLimits: Hashable, Sendable {
  /// Seconds an attempt may run when its job names no limit; nil means as long as it takes.
  package let time: Double?
  /// The longest limit that a job may name, seconds; nil means any.
  package let longestTime: Double?
  /// How many jobs of one user run at once; nil means any number.
  package let running: Int?
  /// How many jobs of one user are queued at once; nil means any number.
  package let queued: Int?
  /// Bytes of disk that the results of one user may take in all; nil means any number.
  package let results: Int?
  /// The highest priority of a user's jobs.
  package let priority: Int
  /// The user who is limited as little as root: the daemon's own.
  let daemonUser: UInt32

  /// Takes the limits out of a configuration.
  package init(_ settings: Configuration = Configuration(), daemonUser: UInt32 = geteuid()) {
    longestTime = settings.longestTime
    time =
      switch (settings.timeLimit, settings.longestTime) {
      case (let usual?, let longest?): min(usual, longest)
      case (let usual, let longest): usual ?? longest
      }
    running = settings.userRunning
    queued = settings.userQueued
    results = settings.userResults
    priority = settings.userPriority ?? 0
    self.daemonUser = daemonUser
  }

  /// Whether a user may do what root may: they are root, or the daemon is their own.
  package func isExempt(_ uid: UInt32) -> Bool { uid == 0 || uid == daemonUser }

  /// The priority that a user's job gets when its document asks for `wanted`.
  func priority(_ wanted: Int, of uid: UInt32) -> Int {
    isExempt(uid) ? wanted : min(wanted, priority)
  }

  /// Seconds that an attempt of a user's job may run; nil means as long as it takes.
  ///
  /// Throws `doesNotFit`, with the numbers, when the job asks for more time, or its results alone take more of the
  /// disk, than this queue ever allows.
  package func admit(_ job: PlannedJob, of uid: UInt32, file: String) throws(JobError) -> Double? {
    try checkResults(job.diskRoom, of: uid, file: file)
    return try timeLimit(job.jobFile.document.timeLimit, file: file)
  }

  /// Seconds that an attempt of a job may run whose document asks for `wanted`; throws when that is too long.
  func timeLimit(_ wanted: Double?, file: String) throws(JobError) -> Double? {
    guard let wanted else { return time }
    if let longestTime, wanted > longestTime {
      throw JobError(
        .doesNotFit,
        "\(file) does not fit: its time_limit is \(Seconds.text(wanted)), and this queue allows \(Seconds.text(longestTime)); "
          + "ask for less, or split it into several jobs")
    }
    return wanted
  }

  /// Throws when a job's results alone would take more than all results of its user may.
  private func checkResults(_ bytes: Int, of uid: UInt32, file: String) throws(JobError) {
    guard let results, !isExempt(uid), bytes > results else { return }
    throw JobError(
      .doesNotFit,
      "\(file) does not fit: its results take \(ByteCount.text(bytes)), and all results of one user may take "
        + "\(ByteCount.text(results)) here; ask for the factored form, for fewer outputs, parameters or samples"
    )
  }

  /// Whether a user with so many running jobs may run another.
  package func mayRun(_ uid: UInt32, besides count: Int) -> Bool {
    isExempt(uid) || running.map { count < $0 } ?? true
  }

  /// Whether another job of a user with so many queued ones may be taken in.
  func mayQueue(_ uid: UInt32, besides count: Int) -> Bool {
    isExempt(uid) || queued.map { count < $0 } ?? true
  }
}

import Formats
import Glibc
import Jacobians

/// The whole way of a job in this process, without a daemon: what `nnjobs run` does.
package struct ForegroundRun: Sendable {
  /// The job file, read with the caller's own rights, files it refers to included.
  package let path: String
  /// The folder that the result folder is published in.
  package let results: String
  /// How many threads to compute with.
  package let threads: Int
  /// Where this machine's profile is looked for, and a first one kept.
  package let profiles: ProfilePlace

  /// Prepares to run one job file; `threads` of 0 means as many as are useful on this machine.
  package init(path: String, results: String, threads: Int = 0, profiles: ProfilePlace) {
    self.path = path
    self.results = results
    self.threads = threads
    self.profiles = profiles
  }

  /// Seconds of a job beside which the few of a calibration are little.
  private let longJob = 60.0
  private static let partialPrefix = ".partial-run-"

  /// Whether a partial folder of that name belongs to a run whose process still lives.
  static func isLive(partial name: String) -> Bool {
    guard name.hasPrefix(partialPrefix), let process = pid_t(name.dropFirst(partialPrefix.count))
    else { return false }
    return kill(process, 0) == 0 || errno == EPERM
  }

  /// A published result: its folder and what is in it.
  package struct Published: Sendable {
    /// The folder's path.
    package let folder: String
    /// What was computed.
    package let plan: JobPlan
  }

  /// Examines, plans, checks that it fits, computes, writes and publishes; `planned` is told the plan first.
  ///
  /// `note` hears what is done beside: a long job on a machine that was never measured measures it first.
  package func run(
    monitor: some AttemptMonitor, planned: (JobPlan) -> Void = { _ in },
    note: (String) -> Void = { _ in }
  ) throws(JobError) -> Published {
    BusError.exitCleanly()
    let file = try JobError.ofSystem { () throws(SystemError) in
      try Descriptor(opening: path, O_RDONLY)
    }
    let machine = MachineLimits.ofThisMachine()
    let job = try PlannedJob(examining: file, references: .allowed, on: machine)
    let digest = try JobError.ofSystem { () throws(SystemError) in try JobDigest.sha256(of: file) }
    try JobError.ofSystem { () throws(SystemError) in try FolderTree.make(results) }
    try job.checkFit(on: machine, results: results)
    if profiles.profile == nil, job.expectedSeconds(at: nil) / Double(machine.cores) > longJob {
      profiles.measure(results: results, unless: { monitor.isCancelled }, note: note)
    }
    let profile = profiles.profile?.profile
    KernelChoice.settle(profile: profile)
    planned(job.plan)

    let name = JobFileName(path.split(separator: "/").last.map(String.init) ?? path).job
    let order = WorkOrder(
      id: 0, attempt: 1, name: name, file: path,
      partial: "\(results)/\(ForegroundRun.partialPrefix)\(getpid())",
      threads: threads > 0 ? threads : job.usefulCores(on: machine, at: profile?.rates),
      memory: machine.memory,
      checkpoint: 0)
    let written = try JobProcessor.compute(job, order, digest: digest, monitor: monitor)
    let folder = try JobError.ofSystem { () throws(SystemError) in
      try Publication.publish(written.partial, as: order.name, in: results)
    }
    return Published(folder: "\(results)/\(folder)", plan: job.plan)
  }
}

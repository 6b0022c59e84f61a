import Formats
import Glibc
import Jacobians

/// The way of one job on one page.
///
/// `DroppedFile → AdmittedJob → PlannedJob → blocks → WrittenResult → CommittedJob`. Under the daemon, admission
/// and commit are its own (`Intake`, `Slot`), and `compute` runs in a worker process; `nnjobs run` goes all the
/// way in one process (`ForegroundRun`).
package enum JobProcessor {
  /// Plans, computes and writes the job of an order; what is not finished is removed.
  package static func compute(
    _ order: WorkOrder, monitor: some AttemptMonitor
  ) throws(JobError) -> WrittenResult {
    PeakMemory.reset()
    let (job, digest) = try examine(order)
    return try compute(job, order, digest: digest, monitor: monitor)
  }

  /// Examined and planned, block by block computed into a partial folder, and that folder put on disk.
  package static func compute(
    _ job: PlannedJob, _ order: WorkOrder, digest: String, monitor: some AttemptMonitor
  ) throws(JobError) -> WrittenResult {
    do {
      let identity = ResultIdentity(
        of: job.plan, digest: digest, blas: try BLAS.loaded(), readers: order.readers)
      let begun = try BegunResult.begin(order, job.plan, identity)
      do {
        return try compute(job, order, digest: digest, begun, identity, monitor: monitor)
      } catch {
        let isKept =
          error is CancellationError && monitor.isGivenBack
          && ProgressRecord.isThere(in: order.partial)
        if !isKept { begun.partial.discard() }
        throw error
      }
    } catch is CancellationError {
      throw JobError(.cancelled, "\(order.name) was cancelled while it ran")
    } catch {
      throw JobError(error, file: job.file)
    }
  }

  private static func compute(
    _ job: PlannedJob, _ order: WorkOrder, digest: String, _ begun: BegunResult,
    _ identity: ResultIdentity, monitor: some AttemptMonitor
  ) throws -> WrittenResult {
    let partial = begun.partial
    var clock = StageClock(after: begun.seconds)
    let keeper = ResultKeeper(
      partial, of: job.plan, identity, after: begun, interval: order.checkpoint,
      isGivenBack: { monitor.isGivenBack })
    if let record = begun.record {
      try keeper.recordResumption(of: record)
      monitor.resumed(
        blocks: job.plan.blocks(record.content.computed), of: job.plan.blockCount)
    }
    clock.lap("reserving files")
    let report =
      switch job.plan.dtype {
      case .float64:
        try blocks(of: job, Double.self, begun, order.threads, &clock, monitor, keeper)
      case .float32:
        try blocks(of: job, Float.self, begun, order.threads, &clock, monitor, keeper)
      }
    clock.lap("computing")
    try checkVerification(report, file: job.file)
    let manifest = Manifest(
      order: order, job: job, digest: digest, report: report, clock: clock,
      digests: try partial.digests(), resumptions: begun.resumptions,
      bytesWritten: partial.bytesWritten)
    try partial.add("manifest.json", manifest.encoded())
    try ProgressRecord.remove(from: order.partial)
    try partial.synchronize()
    return WrittenResult(partial: order.partial, bytes: partial.bytesWritten)
  }

  /// Opens the claimed file, reads and plans it anew: its owner may have changed it since it was admitted.
  private static func examine(
    _ order: WorkOrder
  ) throws(JobError) -> (PlannedJob, digest: String) {
    let file = try JobError.ofSystem { () throws(SystemError) in
      try Descriptor(opening: order.file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    }
    let digest = try JobError.ofSystem { () throws(SystemError) in try JobDigest.sha256(of: file) }
    let machine = MachineLimits(cores: order.threads, memory: order.memory)
    return (try PlannedJob(examining: file, references: .refused, on: machine), digest)
  }

  private static func blocks<T: Scalar>(
    of job: PlannedJob, _ type: T.Type, _ begun: BegunResult, _ threads: Int,
    _ clock: inout StageClock, _ monitor: some AttemptMonitor, _ keeper: ResultKeeper
  ) throws -> ComputationReport {
    switch job.plan {
    case .feedForward(let plan):
      let problem = try job.jobFile.problem(type)
      clock.lap("reading")
      return try Computation.run(
        plan, on: problem, into: begun.partial, threads: threads, monitor: monitor,
        after: begun.before,
        keeper: keeper)
    case .recurrent(let plan):
      let problem = try job.jobFile.recurrentProblem(type)
      clock.lap("reading")
      return try Computation.run(
        plan, on: problem, into: begun.partial, threads: threads, monitor: monitor,
        after: begun.before,
        keeper: keeper)
    }
  }

  private static func checkVerification(
    _ report: ComputationReport, file: String
  ) throws(JobError) {
    guard let failed = report.verification?.checks.first(where: { !$0.passed }) else { return }
    throw JobError(
      .verification,
      "\(file) did not pass its verification: \(failed.name): error \(failed.error), allowed "
        + "\(failed.tolerance); the results were not published")
  }
}

/// A result that is complete and on disk, but has no name yet.
package struct WrittenResult: Hashable, Sendable {
  /// The partial folder.
  package let partial: String
  /// Bytes of its arrays, headers left out.
  package let bytes: Int

  /// Describes a complete partial folder.
  package init(partial: String, bytes: Int) {
    self.partial = partial
    self.bytes = bytes
  }
}

import Formats
import Glibc
package import Jacobians

/// The way of one job on one page.
///
/// `DroppedFile → AdmittedJob → PlannedJob → blocks → WrittenResult → CommittedJob`. Under the daemon, admission
/// and commit are its own (`Intake`, `Slot`), and `compute` runs in a worker process; `nnjobs run` goes all the
/// way in one process (`ForegroundRun`).
package enum JobProcessor {
  /// Plans, computes and writes the job of an order; what is not finished is removed.
  package static func compute(
    _ order: WorkOrder, monitor: some ComputationMonitor
  ) throws(JobError) -> WrittenResult {
    PeakMemory.reset()
    let (job, digest) = try examine(order)
    return try compute(job, order, digest: digest, monitor: monitor)
  }

  /// Examined and planned, block by block computed into a partial folder, and that folder put on disk.
  package static func compute(
    _ job: PlannedJob, _ order: WorkOrder, digest: String, monitor: some ComputationMonitor
  ) throws(JobError) -> WrittenResult {
    var clock = StageClock()
    do {
      let partial = try PartialResult(
        folder: order.partial, arrays: job.plan.arrays, dtype: job.plan.dtype,
        readers: order.readers)
      do {
        clock.lap("reserving files")
        let report =
          switch job.plan.dtype {
          case .float64: try blocks(of: job, Double.self, partial, order.threads, &clock, monitor)
          case .float32: try blocks(of: job, Float.self, partial, order.threads, &clock, monitor)
          }
        clock.lap("computing")
        try checkVerification(report, file: job.file)
        let manifest = Manifest(
          order: order, job: job, digest: digest, report: report, clock: clock,
          digests: try partial.digests(), bytesWritten: partial.bytesWritten)
        try partial.add("manifest.json", manifest.encoded())
        try partial.synchronize()
        return WrittenResult(partial: order.partial, bytes: partial.bytesWritten)
      } catch {
        partial.discard()
        throw error
      }
    } catch is CancellationError {
      throw JobError(.cancelled, "\(order.name) was cancelled while it ran")
    } catch {
      throw JobError(error, file: job.file)
    }
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
    of job: PlannedJob, _ type: T.Type, _ partial: PartialResult, _ threads: Int,
    _ clock: inout StageClock, _ monitor: some ComputationMonitor
  ) throws -> ComputationReport {
    switch job.plan {
    case .feedForward(let plan):
      let problem = try job.jobFile.problem(type)
      clock.lap("reading")
      return try Computation.run(
        plan, on: problem, into: partial, threads: threads, monitor: monitor)
    case .recurrent(let plan):
      let problem = try job.jobFile.recurrentProblem(type)
      clock.lap("reading")
      return try Computation.run(
        plan, on: problem, into: partial, threads: threads, monitor: monitor)
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

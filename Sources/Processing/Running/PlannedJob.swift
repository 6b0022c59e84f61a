package import Formats
import Jacobians

/// A job file that was examined and planned: what it holds, what it will compute, what that takes.
package struct PlannedJob: Sendable {
  /// The job file, as messages name it.
  package let file: String
  /// The document, and where its arrays are.
  package let jobFile: JobFile
  /// What will be computed.
  package let plan: JobPlan

  /// Examines an open job file with positioned reads only, and plans it for a machine.
  package init(
    examining descriptor: borrowing Descriptor, references: JobFile.References,
    on machine: MachineLimits
  ) throws(JobError) {
    let jobFile: JobFile
    do throws(FormatError) {
      jobFile = try JobFile(examining: descriptor, references: references)
    } catch { throw JobError(error) }
    try self.init(jobFile, file: descriptor.path, on: machine)
  }

  /// Plans an examined job file for a machine.
  package init(_ jobFile: JobFile, file: String, on machine: MachineLimits) throws(JobError) {
    self.file = file
    self.jobFile = jobFile
    do throws(PlanError) {
      plan = try JobPlan(of: jobFile.document, memory: machine.memory)
    } catch { throw JobError(error, file: file) }
  }

  /// Bytes the results have on disk, each array's header of at least 128 bytes included.
  package var diskBytes: Int { plan.resultBytes + plan.arrays.count * 128 }

  /// Bytes the results take on disk at most: arrays, their headers, the rest of each one's last block, the manifest; and
  /// what is kept beside them while they are computed.
  package var diskRoom: Int {
    let (sum, overflow) = plan.resultBytes.addingReportingOverflow(
      plan.arrays.count * (4096 + 256) + 16_384)
    let (all, isTooMuch) = sum.addingReportingOverflow(plan.keptBytes)
    return overflow || isTooMuch ? Int.max : all
  }

  /// Peak bytes of memory of the whole process that computes this with `threads` threads.
  package func processMemory(threads: Int) -> Int {
    let (sum, overflow) = plan.peakMemory(threads: threads).addingReportingOverflow(
      MachineLimits.processMemory)
    return overflow ? Int.max : sum
  }

  /// Roughly how long one core takes, for deciding about cores: by what was measured of this machine, else by
  /// 10 GFLOP/s and 1 GB/s. `Prediction` says it more closely.
  package func expectedSeconds(at rates: MachineRates?) -> Double {
    plan.operations / (rates?.products(plan.dtype, threads: 1) ?? 1e10)
      + Double(plan.resultBytes) / (rates?.writing?.bytesPerSecond ?? 1e9)
  }

  /// Seconds of a job for which a second thread is not worth its start.
  private static let shortJob = 0.02

  /// The cores it can make use of: one when it is short, at most one for each block.
  ///
  /// Fewer when the memory for the scratch of so many threads is not there.
  package func usefulCores(on machine: MachineLimits, at rates: MachineRates?) -> Int {
    if expectedSeconds(at: rates) < PlannedJob.shortJob { return 1 }
    var cores = max(1, min(machine.cores, plan.blockCount))
    while cores > 1 && processMemory(threads: cores) > machine.memory { cores -= 1 }
    return cores
  }

  /// Throws `doesNotFit`, with the numbers, when the machine could never run this or its disk cannot hold it.
  ///
  /// A queue asks whether the disk could hold it when it were empty: until there is room, the job waits.
  package func checkFit(
    on machine: MachineLimits, results: String, whenEmpty: Bool = false
  ) throws(JobError) {
    let memory = processMemory(threads: 1)
    if memory > machine.memory {
      throw JobError(
        .doesNotFit,
        "\(file) does not fit: it needs \(ByteCount.text(memory)) of memory, and jobs may use "
          + "\(ByteCount.text(machine.memory)) here; ask for fewer gradients or split the samples "
          + "over several jobs")
    }
    guard
      let bytes = whenEmpty
        ? try? MachineLimits.wholeDisk(at: results) : try? MachineLimits.freeDisk(at: results),
      diskRoom > bytes
    else { return }
    throw JobError(
      .doesNotFit,
      "\(file) does not fit: its results take \(ByteCount.text(diskRoom)), and \(results) has "
        + "\(ByteCount.text(bytes)) \(whenEmpty ? "in all" : "free"); ask for the factored form, for "
        + "fewer outputs, parameters or samples" + (whenEmpty ? "" : ", or make room"))
  }
}

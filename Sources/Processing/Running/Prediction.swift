import Formats
import Glibc
import Jacobians

/// What a job is expected to take on this machine, before it runs.
package struct Prediction: Hashable, Sendable {
  /// What the seconds are derived from.
  package enum Basis: String, Sendable {
    /// This machine's profile.
    case profile
    /// No profile: 10 GFLOP/s a core, 1 GB/s of durable results, 2 ms a job.
    case assumption
  }

  /// Floating-point operations, by the plan.
  package let operations: Double
  /// Bytes of all arrays, headers left out.
  package let bytes: Int
  /// Peak memory of the process in bytes.
  package let memory: Int
  /// From beginning to published result, in seconds.
  package let seconds: Double
  /// What the seconds are derived from.
  package let basis: Basis

  /// Predicts a job that is computed on so many threads and published in a folder.
  ///
  /// Computing and filling the tiles go on while what is complete is on its way to the disk: the longer of both counts.
  package init(of job: PlannedJob, threads: Int, results: String, rates: MachineRates?) {
    let plan = job.plan
    operations = plan.operations
    bytes = plan.resultBytes
    memory = job.processMemory(threads: threads)
    basis = rates == nil ? .assumption : .profile
    let useful = max(1, min(threads, plan.blockCount))
    let products = rates?.products(plan.dtype, threads: useful) ?? 1e10 * Double(useful)
    let one = rates?.products(plan.dtype, threads: 1) ?? 1e10
    // A byte is stored into a tile in cache and copied out of it into memory.
    let perByte = rates.map { 1 / $0.storesToCache + 1 / $0.storesToMemory } ?? 0
    let writing = rates?.writing.flatMap { $0.isOnFileSystem(of: results) ? $0 : nil }
    let computing: Double
    if case .recurrent(let recurrent) = plan,
      let way = recurrent.candidates.first(where: { $0.strategy == recurrent.chosen })
    {
      // Its own cost model, in seconds of another machine, knows more than operations.
      let reference = RecurrentPlan.productRate * (plan.dtype == .float64 ? 1 : 2)
      computing =
        (way.seconds * reference / one + max(0, operations - way.operations) / one)
        / Double(useful)
    } else {
      computing = operations / products + Double(bytes) * perByte / Double(useful)
    }
    let durable = Double(bytes) / (writing?.bytesPerSecond ?? 1e9)
    seconds = (writing?.smallResult ?? 2e-3) + max(computing, durable)
  }
}

extension MachineRates.Writing {
  /// Whether a folder, or the one it will be made in, is on the file system that was measured.
  fileprivate func isOnFileSystem(of results: String) -> Bool {
    var own = stat()
    var other = stat()
    guard unsafe stat(folder, &own) == 0 else { return false }
    var path = results
    while unsafe stat(path, &other) != 0 {
      guard let slash = path.lastIndex(of: "/") else {
        path = "."
        continue
      }
      path = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    return own.st_dev == other.st_dev
  }
}

import Formats
import Glibc
import Jacobians

/// What must be the same for an attempt to go on where another one stopped: then both give the same bytes.
struct ResultIdentity: Codable, Hashable, Sendable {
  private struct ArrayIdentity: Codable, Hashable {
    let path: String
    let shape: [Int]
  }

  private let jobFile: String
  private let program: String
  private let blas: String
  private let dtype: String
  private let strategy: String
  private let blocks: Int
  private let blockSamples: Int?
  private let arrays: [ArrayIdentity]
  private let readers: AccessList?

  /// Identifies what a plan gives for a job file of that SHA-256, with that OpenBLAS and its kernel, and who may read it.
  init(of plan: JobPlan, digest: String, blas: BLAS, readers: AccessList?) {
    jobFile = digest
    program = ResultIdentity.program
    self.blas = "\(blas.version), \(blas.kernel)"
    self.readers = readers
    dtype = plan.dtype.rawValue
    // Of a recurrent network the sentence has the windows and the blocks of steps.
    strategy = plan.strategy
    blocks = plan.blockCount
    if case .feedForward(let plan) = plan {
      blockSamples = plan.blockSamples
    } else {
      blockSamples = nil
    }
    arrays = plan.arrays.map { ArrayIdentity(path: $0.path, shape: $0.shape) }
  }

  /// The version, and the size and time of the file that runs: two builds of one version may order their additions differently.
  private static let program: String = {
    var status = stat()
    guard unsafe stat("/proc/self/exe", &status) == 0 else { return Version.current }
    let time = status.st_mtim
    return "\(Version.current), \(status.st_size) bytes of \(time.tv_sec).\(time.tv_nsec)"
  }()
}

import FoundationEssentials
import Jacobians

/// What `manifest.json` says of a result: where it comes from, what it holds, how it was computed, and how good it is.
///
/// Every key is described in docs/results.md; readers must ignore keys they do not know.
struct Manifest: Encodable, Sendable {
  private let version = 1
  private let id: Int64
  private let name: String
  private let attempt: Int
  private let sha256: String
  private let program = "nnjobs \(Version.current)"
  private let kernel: String
  private let dtype: String
  private let samples: Int
  private let parameters: [ParameterEntry]
  private let arrays: [ArrayEntry]
  private let plan: PlanEntry
  private let took: TookEntry
  private let numerics: NumericsEntry
  private let verification: [CheckEntry]?

  private enum CodingKeys: String, CodingKey {
    case version, id, name, attempt
    case sha256 = "job_file_sha256"
    case program, kernel, dtype, samples, parameters, arrays, plan, took, numerics, verification
  }

  /// Collects the facts of a finished computation.
  init(
    order: WorkOrder, job: PlannedJob, digest: String, report: ComputationReport,
    clock: StageClock, bytesWritten: Int
  ) {
    let plan = job.plan
    id = order.id
    name = order.name
    attempt = order.attempt
    sha256 = digest
    kernel = "OpenBLAS \(report.kernel)"
    dtype = plan.dtype.rawValue
    samples = plan.batch
    parameters = plan.network.parameters.map {
      ParameterEntry(name: $0.description, shape: plan.network.shape(of: $0))
    }
    arrays = plan.arrays.map { ArrayEntry($0, of: plan) }
    self.plan = PlanEntry(
      strategy: plan.strategy, blockSamples: plan.blockSamples, blocks: plan.blockCount,
      threads: order.threads, operations: plan.operations, resultBytes: plan.resultBytes,
      memoryBytes: job.processMemory(threads: order.threads))
    took = TookEntry(
      seconds: clock.total,
      stages: clock.stages.map { StageEntry(stage: $0.name, seconds: $0.seconds) },
      threadSeconds: report.seconds.map { StageEntry(stage: $0.stage, seconds: $0.seconds) },
      bytesWritten: bytesWritten, peakMemoryBytes: PeakMemory.bytes)
    numerics = NumericsEntry(report.numerics)
    verification = report.verification?.checks.map {
      CheckEntry(check: $0.name, error: $0.error, tolerance: $0.tolerance, passed: $0.passed)
    }
  }

  /// The file's bytes: readable JSON with its keys in order.
  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return Array(try encoder.encode(self)) + [10]
  }
}

private struct ParameterEntry: Encodable {
  let name: String
  let shape: [Int]
}

private struct ArrayEntry: Encodable {
  let gradient: String
  let file: String
  let shape: [Int]
  let axes: [String]
  let dtype: String
  let bytes: Int
  let columns: [ColumnsEntry]?

  init(_ array: ResultArray, of plan: Plan) {
    gradient = array.gradient
    file = array.path + ".npy"
    shape = array.shape
    axes = array.axes
    dtype = plan.dtype.rawValue
    bytes = array.count * plan.dtype.byteCount
    columns = array.columns.isEmpty ? nil : ColumnsEntry.list(array.columns, of: plan.network)
  }
}

/// Which columns of a matrix belong to a parameter: from `start` on, row by row of its shape.
private struct ColumnsEntry: Encodable {
  let parameter: String
  let start: Int
  let shape: [Int]

  static func list(_ parameters: [Parameter], of network: NetworkShape) -> [ColumnsEntry] {
    var start = 0
    return parameters.map { parameter in
      defer { start += network.count(of: parameter) }
      return ColumnsEntry(
        parameter: parameter.description, start: start, shape: network.shape(of: parameter))
    }
  }
}

private struct PlanEntry: Encodable {
  let strategy: String
  let blockSamples: Int
  let blocks: Int
  let threads: Int
  let operations: Double
  let resultBytes: Int
  let memoryBytes: Int

  enum CodingKeys: String, CodingKey {
    case strategy, blocks, threads, operations
    case blockSamples = "block_samples"
    case resultBytes = "result_bytes"
    case memoryBytes = "memory_bytes"
  }
}

private struct StageEntry: Encodable {
  let stage: String
  let seconds: Double
}

private struct TookEntry: Encodable {
  let seconds: Double
  let stages: [StageEntry]
  let threadSeconds: [StageEntry]
  let bytesWritten: Int
  let peakMemoryBytes: Int

  enum CodingKeys: String, CodingKey {
    case seconds, stages
    case threadSeconds = "thread_seconds"
    case bytesWritten = "bytes_written"
    case peakMemoryBytes = "peak_memory_bytes"
  }
}

private struct NonFiniteEntry: Encodable {
  let nan: Int
  let infinity: Int

  init(_ count: Numerics.NonFinite) {
    nan = count.nan
    infinity = count.infinity
  }
}

private struct NumericsEntry: Encodable {
  let parameters: NonFiniteEntry
  let inputs: NonFiniteEntry
  let targets: NonFiniteEntry
  let outputs: NonFiniteEntry
  let localGradients: NonFiniteEntry
  let atKinks: Int
  let saturated: Int

  enum CodingKeys: String, CodingKey {
    case parameters, inputs, targets, outputs, saturated
    case localGradients = "local_gradients"
    case atKinks = "at_kinks"
  }

  init(_ numerics: Numerics) {
    parameters = NonFiniteEntry(numerics.parameters)
    inputs = NonFiniteEntry(numerics.inputs)
    targets = NonFiniteEntry(numerics.targets)
    outputs = NonFiniteEntry(numerics.outputs)
    localGradients = NonFiniteEntry(numerics.localGradients)
    atKinks = numerics.atKinks
    saturated = numerics.saturated
  }
}

private struct CheckEntry: Encodable {
  let check: String
  let error: Double
  let tolerance: Double
  let passed: Bool
}

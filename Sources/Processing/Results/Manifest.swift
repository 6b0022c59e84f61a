import FoundationEssentials
import Jacobians

/// What `manifest.json` says of a result: where it comes from, what it holds, how it was computed, and how good it is.
///
/// Every key is described in docs/results.md; readers must ignore keys they do not know.
struct Manifest: Sendable {
  private let order: WorkOrder
  private let sha256: String
  private let report: ComputationReport
  private let plan: JobPlan
  private let planned: PlanEntry
  private let predicted: PredictedEntry
  private let took: TookEntry
  private let digests: [ArrayDigest]
  private let resumptions: [Resumption]

  /// Collects the facts of a finished computation.
  init(
    order: WorkOrder, job: PlannedJob, digest: String, report: ComputationReport,
    clock: StageClock, digests: [ArrayDigest], resumptions: [Resumption], bytesWritten: Int
  ) {
    self.order = order
    self.report = report
    sha256 = digest
    self.digests = digests
    self.resumptions = resumptions
    plan = job.plan
    planned = PlanEntry(
      plan, threads: order.threads, memoryBytes: job.processMemory(threads: order.threads))
    let results = order.partial.lastIndex(of: "/").map { String(order.partial[..<$0]) } ?? "."
    predicted = PredictedEntry(
      Prediction(
        of: job, threads: order.threads, results: results, rates: KernelChoice.profile?.rates))
    took = TookEntry(
      operations: report.operations, seconds: clock.total,
      stages: clock.stages.map { StageEntry(stage: $0.name, seconds: $0.seconds) },
      threadSeconds: report.seconds.map { StageEntry(stage: $0.stage, seconds: $0.seconds) },
      bytesWritten: bytesWritten, peakMemoryBytes: PeakMemory.bytes)
  }

  /// The file's bytes: JSON with a line for each key, and for each array and check.
  func encoded() throws -> [UInt8] {
    let parameters = plan.network.parameters.map {
      ParameterEntry(name: $0.description, shape: plan.network.shape(of: $0))
    }
    let checks = report.verification?.checks.map {
      CheckEntry(
        check: $0.name, error: $0.error, tolerance: $0.tolerance, passed: $0.passed,
        samples: $0.samples, excluded: $0.excluded)
    }
    var lines = [
      try line("version", 1), try line("id", order.id), try line("name", order.name),
      try line("attempt", order.attempt), try line("job_file_sha256", sha256),
      try line("program", "nnjobs \(Version.current)"),
      try line("kernel", "OpenBLAS \(report.kernel)"),
      try line("kernel_chosen_by", KernelChoice.settled.chooser.rawValue),
      try line("dtype", plan.dtype.rawValue),
      try line("samples", plan.batch), try lines("parameters", parameters),
      try lines("arrays", zip(plan.arrays, digests).map { ArrayEntry($0, of: plan, digest: $1) }),
      try line("plan", planned), try line("predicted", predicted), try line("took", took),
      try line("resumed", resumptions),
      try line("numerics", NumericsEntry(report.numerics)),
    ]
    if let checks { lines.append(try self.lines("verification", checks)) }
    return Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8)
  }

  private func line(_ key: String, _ value: some Encodable) throws -> String {
    "  \"\(key)\": \(try Manifest.text(value))"
  }

  private func lines(_ key: String, _ values: [some Encodable]) throws -> String {
    let texts = try values.map { "    " + (try Manifest.text($0)) }
    return "  \"\(key)\": [\n\(texts.joined(separator: ",\n"))\n  ]"
  }

  private static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
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
  let digest: String
  let columns: [ColumnsEntry]?

  init(_ array: ResultArray, of plan: JobPlan, digest: ArrayDigest) {
    gradient = array.gradient
    file = array.path + ".npy"
    shape = array.shape
    axes = array.axes
    dtype = plan.dtype.rawValue
    bytes = array.count * plan.dtype.byteCount
    self.digest = digest.text
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
  private let strategy: String
  private let blocks: Int
  private let threads: Int
  private let operations: Double
  private let resultBytes: Int
  private let memoryBytes: Int
  /// Of a feed-forward network.
  private var blockSamples: Int?
  /// Of a recurrent network: T, the strategy chosen for ∂z(n)/∂w, and all of them.
  private var steps: Int?
  private var chosen: String?
  private var strategies: [StrategyEntry]?

  enum CodingKeys: String, CodingKey {
    case strategy, blocks, threads, operations, steps, chosen, strategies
    case blockSamples = "block_samples"
    case resultBytes = "result_bytes"
    case memoryBytes = "memory_bytes"
  }

  init(_ plan: JobPlan, threads: Int, memoryBytes: Int) {
    strategy = plan.strategy
    blocks = plan.blockCount
    self.threads = threads
    operations = plan.operations
    resultBytes = plan.resultBytes
    self.memoryBytes = memoryBytes
    switch plan {
    case .feedForward(let plan): blockSamples = plan.blockSamples
    case .recurrent(let plan):
      steps = plan.shape.steps
      chosen = plan.chosen?.rawValue
      strategies = plan.candidates.map(StrategyEntry.init)
    }
  }
}

/// One way to ∂z(n)/∂w and what the plan expected of it, on one thread.
private struct StrategyEntry: Encodable {
  private let strategy: String
  private let operations: Double
  private let bytesMoved: Double
  private let seconds: Double
  private let memoryBytes: Int
  private let blockSteps: Int?
  private let fits: Bool

  enum CodingKeys: String, CodingKey {
    case strategy, operations, seconds, fits
    case bytesMoved = "bytes_moved"
    case memoryBytes = "memory_bytes"
    case blockSteps = "block_steps"
  }

  init(_ candidate: RecurrentPlan.Candidate) {
    strategy = candidate.strategy.rawValue
    operations = candidate.operations
    bytesMoved = candidate.bytesMoved
    seconds = candidate.seconds
    memoryBytes = candidate.memory
    blockSteps = candidate.blockSteps
    fits = candidate.fits
  }
}

private struct StageEntry: Encodable {
  let stage: String
  let seconds: Double
}

private struct PredictedEntry: Encodable {
  let operations: Double
  let bytesWritten: Int
  let memoryBytes: Int
  let seconds: Double
  let basis: String

  enum CodingKeys: String, CodingKey {
    case operations, seconds, basis
    case bytesWritten = "bytes_written"
    case memoryBytes = "memory_bytes"
  }

  init(_ prediction: Prediction) {
    operations = prediction.operations
    bytesWritten = prediction.bytes
    memoryBytes = prediction.memory
    seconds = prediction.seconds
    basis = prediction.basis.rawValue
  }
}

private struct TookEntry: Encodable {
  /// Of the blocks that were computed, counted as the plan counts them.
  let operations: Double
  let seconds: Double
  let stages: [StageEntry]
  let threadSeconds: [StageEntry]
  let bytesWritten: Int
  let peakMemoryBytes: Int

  enum CodingKeys: String, CodingKey {
    case operations, seconds, stages
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
  let samples: Int
  let excluded: Int
}

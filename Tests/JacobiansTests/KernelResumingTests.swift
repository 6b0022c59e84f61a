import Jacobians
import TestSupport
import Testing

/// Kernels that go on behind the rows that an earlier computation has completed.
@Suite struct KernelResumingTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let requests: [GradientRequest]
    /// Samples of a block and a tile, with groups of two tiles; nil for one group.
    var blockSamples: Int? = 3
    var testDescription: String { name }
  }

  private static func kernel(_ options: [String: GradientRequest.Option] = [:]) -> GradientRequest {
    GradientRequest(name: "neural-tangent-kernel", options: options)
  }
  private static let other: GradientRequest.Option = .array(shape: [otherBatch, 3])
  private static let perOutput: GradientRequest.Option = .text("per-output")
  private static let batch = 23
  private static let otherBatch = 10

  static let cases = [
    Case(name: "symmetric", requests: [kernel()]),
    Case(name: "per output", requests: [kernel(["form": perOutput])]),
    Case(name: "other inputs", requests: [kernel(["other_inputs": other])]),
    Case(
      name: "per output, other inputs",
      requests: [kernel(["other_inputs": other, "form": perOutput])]),
    Case(
      name: "after blocks and sums",
      requests: [
        kernel(), GradientRequest(name: "parameter-jacobian"),
        GradientRequest(name: "loss-gradient"),
      ]),
  ]

  // 1. A computation that goes on from anything that was kept gives the same numbers and counts, and writes just what
  // was not done. 2. The rows that are kept grow by a row of tiles each time, where one thread computes.
  @Test(arguments: cases, [1, 3])
  func `from every row of tiles that was kept, to the same numbers`(
    job: Case, threads: Int
  ) throws {
    let base = Problem<Double>.random(
      seed: 11, widths: [3, 5, 2], activations: [.relu, .tanh], biases: [false, true],
      batch: Self.batch)
    var generator = SeededGenerator(seed: 12)
    let others = Values(generator.numbers(Self.otherBatch * 3))
    let problem = Problem(
      network: base.network, inputs: base.inputs, targets: base.targets, batch: base.batch,
      operands: ["gradients[0].other_inputs": others])
    let plan = try Planner.plan(
      network: problem.network.shape, batch: problem.batch, dtype: .float64,
      requests: job.requests, hasTargets: true, verify: false, blockSamples: job.blockSamples)
    let sink = MemorySink<Double>(plan)
    let keeper = KeptPoints(sink)
    let whole = try Computation.run(
      plan, on: problem, into: sink, threads: threads, monitor: QuietMonitor(), keeper: keeper)
    #expect(sink.isWrittenOnce)
    let points = keeper.points.filter { $0.blocks.begun != nil }
    #expect(points.allSatisfy { plan.isPossible($0.blocks) })
    for point in points {
      let resumed = MemorySink<Double>(plan)
      try point.fill(resumed, with: plan.finishedNumbers(point.blocks))
      let report = try Computation.run(
        plan, on: problem, into: resumed, threads: 4 - threads, monitor: QuietMonitor(),
        after: point.before)
      #expect(resumed.isWrittenOnce, "1: \(point)")
      #expect(resumed.arrays == sink.arrays, "1: \(point)")
      #expect(report.numerics == whole.numerics, "1: \(point)")
      #expect(report.operations == whole.operations, "1: \(point)")
    }
    if threads == 1 {
      let rows = Array(stride(from: 3, to: Self.batch, by: 3)) + [Self.batch]
      #expect(points.map { $0.blocks.begun?.units } == rows, "2")
    }
    #expect(!points.isEmpty, "2")
  }

  // 1. A stopping computation keeps the rows that are complete, between two that were due.
  @Test func `what is complete when it is cancelled is kept`() throws {
    let problem = Problem<Double>.random(
      seed: 11, widths: [3, 5, 2], activations: [.relu, .tanh], batch: Self.batch)
    let plan = try Planner.plan(
      network: problem.network.shape, batch: problem.batch, dtype: .float64,
      requests: [Self.kernel()], hasTargets: true, verify: false, blockSamples: 3)
    let sink = MemorySink<Double>(plan)
    let keeper = KeptPoints(sink, isDue: false)
    // Two rows of tiles, of 8 and 7, and three more tiles.
    #expect(throws: CancellationError.self) {
      _ = try Computation.run(
        plan, on: problem, into: sink, threads: 1, monitor: CancelledAfter(blocks: 18),
        keeper: keeper)
    }
    let point = try #require(keeper.points.first)
    #expect(point.blocks.begun?.units == 6, "1")
    let resumed = MemorySink<Double>(plan)
    try point.fill(resumed, with: plan.finishedNumbers(point.blocks))
    _ = try Computation.run(
      plan, on: problem, into: resumed, threads: 2, monitor: QuietMonitor(), after: point.before)
    #expect(resumed.isWrittenOnce)
    let whole = try Results([Self.kernel()], on: problem, blockSamples: 3)
    #expect(resumed.arrays == [whole["neural-tangent-kernel"]])
  }
}

import Jacobians
import Synchronization
import TestSupport
import Testing

/// Subsets, threads, checkpoints, cancellation, verification.
@Suite struct RecurrentSubsetTests {
  static let problem = RecurrentProblem<Double>.random(
    seed: 4, widths: [7, 6, 9], units: 4, activations: [.tanh, .tanh], biases: [true, true],
    batch: 3, steps: 9, lengths: [9, 4, 7])

  struct Selection: CustomTestStringConvertible, Sendable {
    let option: GradientRequest.Option
    /// Steps from 0, for a sequence of that length; nil beyond its end.
    let steps: @Sendable (_ length: Int) -> [Int?]
    let hasAxis: Bool
    var testDescription: String { "\(option)" }
  }

  static let selections = [
    Selection(option: .text("last"), steps: { [$0 - 1] }, hasAxis: false),
    Selection(option: .integers([1]), steps: { _ in [0] }, hasAxis: true),
    Selection(
      option: .integers([2, 5, 6, 9]), steps: { n in [1, 4, 5, 8].map { $0 < n ? $0 : nil } },
      hasAxis: true),
    Selection(
      option: .range(from: 3, to: 8), steps: { n in (2...7).map { $0 < n ? $0 : nil } },
      hasAxis: true),
  ]

  @Test(arguments: selections) func `selected steps are slices of all steps`(
    _ selection: Selection
  ) throws {
    let problem = RecurrentSubsetTests.problem
    let steps = problem.shape.steps
    let requests: [(String, [String: GradientRequest.Option])] = [
      ("outputs", [:]), ("parameter-jacobian", [:]), ("state-jacobian", [:]),
      ("input-jacobian", [:]), ("local-gradients", [:]), ("transition-jacobian", [:]),
      ("initial-state-jacobian", [:]),
    ]
    let whole = try RecurrentResults(
      requests.map { GradientRequest(name: $0.0, options: $0.1) }, on: problem)
    for (strategy, h) in [
      (nil, nil), (.forward, nil), (.adjoint, nil), (.blocked, 2), (.blocked, 4),
    ] as [(RecurrentStrategy?, Int?)] {
      let part = try RecurrentResults(
        requests.map {
          GradientRequest(name: $0.0, options: $0.1.merging(["steps": selection.option]) { $1 })
        }, on: problem, strategy: strategy, blockSteps: h)
      for array in part.plan.arrays {
        let numbers = part[array.path]
        let all = whole[array.path]
        let width = all.count / (problem.shape.batch * steps)
        var expected: [Double] = []
        for sequence in 0..<problem.shape.batch {
          for step in selection.steps(problem.shape.length(sequence)) {
            if let step {
              let start = (sequence * steps + step) * width
              expected += all[start..<start + width]
            } else {
              expected += [Double](repeating: 0, count: width)
            }
          }
        }
        #expect((array.shape.count == whole.shape(array.path).count) == selection.hasAxis)
        let error = relativeError(numbers, expected)
        #expect(error <= 1e-14, "\(array.path): \(error)")
      }
    }
  }

  @Test func `a subset of outputs and parameters is a slice of all`() throws {
    let problem = RecurrentSubsetTests.problem
    let options: [String: GradientRequest.Option] = [
      "outputs": .integers([3, 0]), "parameters": .texts(["b1", "W2"]),
    ]
    for name in ["parameter-jacobian", "state-jacobian"] {
      let whole = try RecurrentResults([GradientRequest(name: name)], on: problem)
      let part = try RecurrentResults([GradientRequest(name: name, options: options)], on: problem)
      let m = name == "state-jacobian" ? 9 : 5
      #expect(part.paths == ["\(name)/b1", "\(name)/W2"])
      for path in part.paths {
        let all = whole[path]
        let width = all.count / (27 * m)
        var expected: [Double] = []
        for n in 0..<27 {
          for o in [3, 0] {
            let start = (n * m + o) * width
            expected += all[start..<start + width]
          }
        }
        #expect(relativeError(part[path], expected) <= 1e-14)
      }
    }
  }

  @Test(arguments: [nil, .forward, .adjoint, .blocked] as [RecurrentStrategy?])
  func `the bytes do not depend on the number of threads`(_ strategy: RecurrentStrategy?) throws {
    let requests = [
      GradientRequest(name: "parameter-jacobian"), GradientRequest(name: "input-jacobian"),
      GradientRequest(name: "loss-gradient"), GradientRequest(name: "outputs"),
      GradientRequest(name: "local-gradients"),
    ]
    for (batch, steps) in [(1, 40), (2, 11), (5, 7)] {
      let problem = RecurrentProblem<Double>.random(
        seed: 9, widths: [40, 50, 42], units: 36, activations: [.tanh, .tanh], batch: batch,
        steps: steps)
      let one = try RecurrentResults(requests, on: problem, threads: 1, strategy: strategy)
      for threads in [2, 3, 4, 7] {
        let many = try RecurrentResults(
          requests, on: problem, threads: threads, strategy: strategy)
        for path in one.paths {
          #expect(
            one[path].map(\.bitPattern) == many[path].map(\.bitPattern), "\(path), \(threads)")
        }
      }
    }
  }

  @Test func `states kept at window edges give the same loss gradient`() throws {
    let problem = RecurrentProblem<Double>.random(
      seed: 2, widths: [12, 10], units: 8, activations: [.tanh], batch: 1, steps: 30_000)
    let requests = [GradientRequest(name: "loss-gradient")]
    func run(_ memory: Int?) throws -> (RecurrentPlan, [[Double]]) {
      let plan = try Planner.plan(
        recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
        dtype: .float64, requests: requests, hasTargets: true, hasInitialState: true,
        verify: false, memory: memory)
      let sink = MemorySink<Double>(plan.arrays)
      _ = try Computation.run(
        plan, on: problem, into: sink, threads: 1, monitor: QuietMonitor())
      return (plan, sink.arrays)
    }
    let (plenty, expected) = try run(nil)
    let limit = plenty.problemBytes + (5 << 20) + 700_000
    let (tight, actual) = try run(limit)
    #expect(tight.peakMemory(threads: 1) <= limit)
    #expect(tight.blockCount > plenty.blockCount)
    #expect(tight.strategy.contains("computed twice"))
    for (a, e) in zip(actual, expected) { #expect(relativeError(a, e) <= 1e-12) }
  }

  @Test func `an adjoint over several windows equals one over all steps`() throws {
    // 60,000 steps are too many for one window of rows; the last step's Jacobian sums over all of them.
    let problem = RecurrentProblem<Double>.random(
      seed: 3, widths: [30, 26], units: 24, activations: [.tanh], batch: 1, steps: 60_000)
    let requests = [
      GradientRequest(
        name: "parameter-jacobian",
        options: ["steps": .integers([1, 20_000, 60_000]), "outputs": .integers([1])])
    ]
    let adjoint = try RecurrentResults(requests, on: problem, strategy: .adjoint)
    let blocked = try RecurrentResults(
      requests, on: problem, strategy: .blocked, blockSteps: 500)
    for path in adjoint.paths {
      #expect(relativeError(adjoint[path], blocked[path]) <= 1e-12)
    }
  }

  private final class Cancelling: ComputationMonitor {
    let after: Int
    let seen = Atomic(0)
    init(after: Int) { self.after = after }
    func finished(blocks: Int, of total: Int) { seen.store(blocks, ordering: .relaxed) }
    var isCancelled: Bool { seen.load(ordering: .relaxed) >= after }
  }

  @Test(arguments: [1, 2, 4]) func `a job that is cancelled stops`(_ threads: Int) throws {
    let problem = RecurrentSubsetTests.problem
    let plan = try Planner.plan(
      recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
      dtype: .float64,
      requests: [
        GradientRequest(name: "parameter-jacobian"), GradientRequest(name: "loss-gradient"),
        GradientRequest(name: "input-jacobian"),
      ], hasTargets: true, hasInitialState: true, verify: false, strategy: .forward)
    for after in [0, 1, 5] {
      #expect(throws: CancellationError.self) {
        _ = try Computation.run(
          plan, on: problem, into: MemorySink<Double>(plan.arrays), threads: threads,
          monitor: Cancelling(after: after))
      }
    }
  }

  private struct Full: Error {}
  private struct FullDisk: ResultSink {
    func write(_ bytes: RawSpan, array: Int, at offset: Int) throws { throw Full() }
  }

  @Test(arguments: [1, 3]) func `what the sink throws is thrown`(_ threads: Int) throws {
    let problem = RecurrentSubsetTests.problem
    let plan = try Planner.plan(
      recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
      dtype: .float64,
      requests: [
        GradientRequest(name: "loss-gradient"), GradientRequest(name: "parameter-jacobian"),
      ], hasTargets: true, hasInitialState: true, verify: false)
    #expect(throws: Full.self) {
      _ = try Computation.run(
        plan, on: problem, into: FullDisk(), threads: threads, monitor: QuietMonitor())
    }
  }

  private final class Counting: ComputationMonitor {
    let totals = Mutex<(largest: Int, total: Int)>((0, 0))
    func finished(blocks: Int, of total: Int) {
      totals.withLock { $0 = (max($0.largest, blocks), total) }
    }
    var isCancelled: Bool { false }
  }

  @Test(arguments: [nil, .forward, .adjoint, .blocked] as [RecurrentStrategy?])
  func `progress ends at all blocks`(_ strategy: RecurrentStrategy?) throws {
    let problem = RecurrentSubsetTests.problem
    for steps in [GradientRequest.Option.text("all"), .text("last"), .integers([2, 8])] {
      let plan = try Planner.plan(
        recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
        dtype: .float64,
        requests: [
          GradientRequest(name: "outputs"),
          GradientRequest(name: "state-jacobian", options: ["steps": steps]),
          GradientRequest(name: "input-jacobian", options: ["steps": steps]),
          GradientRequest(name: "loss-gradient"),
        ], hasTargets: true, hasInitialState: true, verify: false, strategy: strategy)
      let monitor = Counting()
      _ = try Computation.run(
        plan, on: problem, into: MemorySink<Double>(plan.arrays), threads: 2, monitor: monitor)
      let (largest, total) = monitor.totals.withLock { $0 }
      #expect(largest == plan.blockCount && total == plan.blockCount)
    }
  }

  @Test(arguments: 0..<12) func `a job checks itself`(_ seed: Int) throws {
    let problem = RecurrentStrategyTests.drawn(UInt64(seed) + 300)
    for strategy in [nil, .forward, .adjoint, .blocked] as [RecurrentStrategy?] {
      let results = try RecurrentResults(
        [GradientRequest(name: "state-jacobian")], on: problem, verify: true, strategy: strategy)
      let verification = try #require(results.report.verification)
      #expect(verification.passed, "\(verification)")
      #expect(verification.checks.count == 3)
      #expect(verification.checks.allSatisfy { $0.samples > 0 })
    }
  }

  @Test func `kinks, saturation and numbers that are not finite are counted once`() throws {
    var inputs = [Double](repeating: 0, count: 2 * 3)
    inputs[4] = .nan
    let shape = NetworkShape(
      layers: [LayerShape(inputs: 3, outputs: 3, hasBiases: false, activation: .relu)])
    let problem = RecurrentProblem<Double>(
      network: Network(
        shape: shape, weights: [Values([Double](repeating: 0, count: 9))], biases: [nil]),
      recurrence: Recurrence(units: 1), shape: SequenceShape(batch: 1, steps: 3),
      inputs: Values(inputs), initialState: nil,
      targets: Values([1, .infinity, 0, 0, 0, 0]))
    let results = try RecurrentResults(
      [
        GradientRequest(name: "outputs"), GradientRequest(name: "state-jacobian"),
        GradientRequest(name: "loss-gradient"),
      ], on: problem)
    let numerics = results.report.numerics
    #expect(numerics.inputs.nan == 1)
    #expect(numerics.targets.infinity == 1)
    #expect(numerics.atKinks == 6)
    #expect(numerics.outputs.nan == 3)
  }
}

extension RecurrentResults {
  fileprivate func shape(_ path: String) -> [Int] {
    plan.arrays.first { $0.path == path }?.shape ?? []
  }
}

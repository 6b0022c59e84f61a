import Dispatch
import Jacobians
import Synchronization
import TestSupport
import Testing

/// How a computation runs, stops and reports.
@Suite struct ComputationTests {
  static func request(
    _ name: String, _ options: [String: GradientRequest.Option] = [:]
  ) -> GradientRequest {
    GradientRequest(name: name, options: options)
  }

  static func plan<T: Scalar>(
    _ requests: [GradientRequest], _ problem: Problem<T>, blockSamples: Int? = nil
  ) throws -> Plan {
    try Planner.plan(
      network: problem.network.shape, batch: problem.batch, dtype: T.type, requests: requests,
      hasTargets: problem.targets != nil, verify: false, blockSamples: blockSamples)
  }

  static let problem = Problem<Double>.random(
    seed: 41, widths: [3, 8, 2], activations: [.tanh, .identity], batch: 100)

  /// Cancels after some blocks; remembers how far it was told.
  final class CancellingMonitor: ComputationMonitor {
    let finished = Atomic(0)
    let last: Int
    init(after last: Int) { self.last = last }
    func finished(blocks: Int, of total: Int) { finished.add(1, ordering: .relaxed) }
    var isCancelled: Bool { finished.load(ordering: .relaxed) >= last }
  }

  /// Fails at the write after some others.
  final class FailingSink: ResultSink {
    struct Full: Error, Equatable {}
    let writes = Atomic(0)
    let most: Int
    init(most: Int) { self.most = most }
    func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
      if writes.add(1, ordering: .relaxed).newValue > most { throw Full() }
    }
  }

  @Test(arguments: [1, 2, 4]) func `a computation stops between blocks when it is cancelled`(
    _ threads: Int
  ) throws {
    // With loss-gradient threads wait for their turns: they too must be released.
    let plan = try ComputationTests.plan(
      [ComputationTests.request("outputs"), ComputationTests.request("loss-gradient")],
      ComputationTests.problem, blockSamples: 1)
    let monitor = CancellingMonitor(after: 10)
    #expect(throws: CancellationError.self) {
      try Computation.run(
        plan, on: ComputationTests.problem, into: MemorySink<Double>(plan), threads: threads,
        monitor: monitor)
    }
    let finished = monitor.finished.load(ordering: .relaxed)
    #expect((10..<10 + threads).contains(finished))
  }

  @Test(arguments: [1, 2, 4], [0, 1, 37]) func `a sink's error stops all threads and comes out`(
    _ threads: Int, _ most: Int
  ) throws {
    let plan = try ComputationTests.plan(
      [ComputationTests.request("outputs"), ComputationTests.request("loss-gradient")],
      ComputationTests.problem, blockSamples: 2)
    let sink = FailingSink(most: most)
    #expect(throws: FailingSink.Full()) {
      try Computation.run(
        plan, on: ComputationTests.problem, into: sink, threads: threads, monitor: QuietMonitor())
    }
    #expect(sink.writes.load(ordering: .relaxed) <= most + threads)
  }

  /// Lets block 1 wait until block 2 has written its outputs, then fails block 1.
  final class FailingAfterNext: ResultSink {
    let hasNext = DispatchSemaphore(value: 0)
    func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
      if offset == 2 * bytes.byteCount { hasNext.signal() }
      if offset == bytes.byteCount {
        _ = hasNext.wait(timeout: .now() + .seconds(20))
        throw FailingSink.Full()
      }
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a thread that waits for a failed block's sum is released`()
    throws
  {
    let plan = try ComputationTests.plan(
      [ComputationTests.request("outputs"), ComputationTests.request("loss-gradient")],
      ComputationTests.problem, blockSamples: 1)
    #expect(throws: FailingSink.Full()) {
      try Computation.run(
        plan, on: ComputationTests.problem, into: FailingAfterNext(), threads: 2,
        monitor: QuietMonitor())
    }
  }

  @Test func `a sink's error while sums are written comes out`() throws {
    let plan = try ComputationTests.plan(
      [ComputationTests.request("loss-gradient")], ComputationTests.problem)
    #expect(throws: FailingSink.Full()) {
      try Computation.run(
        plan, on: ComputationTests.problem, into: FailingSink(most: 2), threads: 2,
        monitor: QuietMonitor())
    }
  }

  @Test func `every block is told once, with its count`() throws {
    final class Counting: ComputationMonitor {
      let seen = Mutex<[Int]>([])
      func finished(blocks: Int, of total: Int) {
        seen.withLock { $0.append(blocks * 1000 + total) }
      }
      var isCancelled: Bool { false }
    }
    let plan = try ComputationTests.plan(
      [ComputationTests.request("outputs")], ComputationTests.problem, blockSamples: 7)
    let monitor = Counting()
    _ = try Computation.run(
      plan, on: ComputationTests.problem, into: MemorySink<Double>(plan), threads: 3,
      monitor: monitor)
    #expect(plan.blockCount == 15)
    #expect(monitor.seen.withLock { $0.sorted() } == (1...15).map { $0 * 1000 + 15 })
  }

  @Test func `no samples give empty arrays and sums of zero`() throws {
    let problem = Problem<Double>.random(
      seed: 1, widths: [3, 2], activations: [.tanh], batch: 0)
    let results = try Results(GradientTests.all, on: problem, threads: 2, verify: true)
    #expect(results["outputs"] == [])
    #expect(results["loss-gradient/W1"] == [Double](repeating: 0, count: 6))
    #expect(results.report.verification?.checks.map(\.samples) == [0, 0, 0])
  }

  @Test func `rows longer than a tile are written whole`() throws {
    // 256 KiB are 32,768 numbers: rows of 40,000, and 700 rows of 100 in a tile and a bit.
    let wide = Problem<Double>.random(
      seed: 2, widths: [40_000, 2], activations: [.tanh], batch: 2)
    let tall = Problem<Double>.random(
      seed: 2, widths: [100, 700, 1], activations: [.tanh, .tanh], batch: 2)
    for problem in [wide, tall] {
      let plain = PlainNetwork(problem.network)
      for options in [[:], ["layout": .text("matrix")]] as [[String: GradientRequest.Option]] {
        let results = try Results(
          [ComputationTests.request("parameter-jacobian", options)], on: problem)
        guard options.isEmpty else {
          let expected = (0..<2).flatMap { b in
            (0..<problem.network.shape.outputs).flatMap { o in
              problem.network.shape.parameters.flatMap {
                plain.jacobian($0, problem.input(b))[o]
              }
            }
          }
          #expect(relativeError(results["parameter-jacobian"], expected) < 1e-12)
          continue
        }
        for parameter in problem.network.shape.parameters {
          let expected = (0..<2).flatMap { plain.jacobian(parameter, problem.input($0)) }
          #expect(
            relativeError(results["parameter-jacobian/\(parameter)"], expected.flatMap { $0 })
              < 1e-12)
        }
      }
    }
  }

  @Test func `the report counts what is not finite, at a kink, or saturated`() throws {
    let activations: [Activation] = [.relu, .hardTanh(minimum: -1, maximum: 1), .tanh]
    let shape = NetworkShape(
      layers: activations.map {
        LayerShape(inputs: 1, outputs: 1, hasBiases: false, activation: $0)
      })
    let network = Network<Double>(
      shape: shape, weights: [Values([1]), Values([1]), Values([100])], biases: [nil, nil, nil])
    // Samples: at relu's kink; at hard-tanh's end; NaN; ∞; tanh alone saturated.
    let problem = Problem(
      network: network, inputs: Values([0, 1, .nan, .infinity, 0.5]),
      targets: Values([1, .infinity, 0, .nan, 0]), batch: 5)
    let numerics = try Results(
      [ComputationTests.request("input-jacobian"), ComputationTests.request("loss")],
      on: problem, threads: 2
    ).report.numerics
    // 1. inputs, 2. targets, 3. outputs, 4. ∂y/∂x, 5. kinks, 6. saturated units.
    #expect(numerics.inputs.nan == 1 && numerics.inputs.infinity == 1)
    #expect(numerics.targets.nan == 1 && numerics.targets.infinity == 1)
    #expect(numerics.outputs.nan == 1 && numerics.outputs.infinity == 0)
    #expect(numerics.localGradients.nan == 1 && numerics.localGradients.infinity == 0)
    #expect(numerics.atKinks == 2)
    // hard-tanh in samples 1 and 3, tanh(100) there too, tanh(50) in sample 4.
    #expect(numerics.saturated == 5)
    #expect(numerics.parameters == Numerics.NonFinite())
  }

  @Test func `local gradients that are not finite are counted in each layer that is read`() throws {
    let shape = NetworkShape(layers: [
      LayerShape(inputs: 1, outputs: 9, hasBiases: false, activation: .tanh),
      LayerShape(inputs: 9, outputs: 1, hasBiases: false, activation: .tanh),
    ])
    let ones = Values([Double](repeating: 1, count: 9))
    let problem = Problem(
      network: Network(shape: shape, weights: [ones, ones], biases: [nil, nil]),
      inputs: Values([0.5, .nan]), targets: nil, batch: 2)
    let numerics = try Results(
      [ComputationTests.request("local-gradients")], on: problem, threads: 1
    ).report.numerics
    // δ₂ and the nine numbers of δ₁, of the second sample.
    #expect(numerics.localGradients.nan == 10 && numerics.localGradients.infinity == 0)
  }

  @Test func `NaN and infinity in parameters are counted`() throws {
    let shape = NetworkShape(layers: [
      LayerShape(inputs: 2, outputs: 2, hasBiases: true, activation: .identity)
    ])
    let problem = Problem(
      network: Network<Float>(
        shape: shape, weights: [Values([1, .nan, .nan, 1])], biases: [Values([0, -.infinity])]),
      inputs: Values([1, 1]), targets: nil, batch: 1)
    let numerics = try Results([ComputationTests.request("outputs")], on: problem).report.numerics
    #expect(numerics.parameters.nan == 2 && numerics.parameters.infinity == 1)
    #expect(numerics.outputs.nan == 2)
  }

  @Test func `the report names stages and kernel`() throws {
    let report = try Results(
      [ComputationTests.request("loss-gradient")], on: ComputationTests.problem, verify: true
    ).report
    #expect(
      report.seconds.map(\.stage) == [
        "forward", "local gradients", "contraction and writing", "verification", "wall",
      ])
    #expect(report.seconds.allSatisfy { $0.seconds > 0 && $0.seconds < 60 })
    #expect(!report.kernel.isEmpty)
    #expect(report.verification?.passed == true)
  }
}

import Glibc
import Jacobians

/// Measures the recurrent strategies: `strategybench grid` (is the planner's choice the fastest way?), `calibrate` (what the
/// cost model is fitted to), `products` and `rows` (its pieces).
///
/// Figures are the best of several runs, results go to memory that was touched before.
@main enum Bench {
  static func main() throws {
    switch CommandLine.arguments.dropFirst().first {
    case "grid": try Grid.run()
    case "calibrate": try Calibration.run()
    case "products": try Calibration.products()
    case "rows": RowTimes.run()
    default:
      print("usage: strategybench grid | calibrate | products | rows")
      exit(64)
    }
  }
}

/// Memory for all arrays of a plan, touched before.
@safe final class TouchedMemory: ResultSink, @unchecked Sendable {
  // Sendable: ranges that are written never overlap.
  private let base: UnsafeMutableRawPointer
  private let starts: [Int]

  init(_ plan: RecurrentPlan) {
    var next = 0
    var starts: [Int] = []
    for array in plan.arrays {
      starts.append(next)
      next += array.count * plan.dtype.byteCount
    }
    self.starts = starts
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: max(next, 1), alignment: 4096)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 1, count: next)
  }

  deinit { unsafe base.deallocate() }

  func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      unsafe (base + starts[array] + offset).copyMemory(from: start, byteCount: source.count)
    }
  }
}

/// Takes results and forgets them.
struct Nowhere: ResultSink {
  func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {}
}

/// Never cancels.
struct Unwatched: ComputationMonitor {
  func finished(blocks: Int, of total: Int) {}
  var isCancelled: Bool { false }
}

/// A recurrent network of one layer or more with seeded numbers.
struct Workload {
  let name: String
  let outer: Int
  let hidden: [Int]
  let units: Int
  let outputs: Int
  let steps: Int
  var batch = 1
  let requests: [GradientRequest]

  /// All ∂y(n)/∂w, as one matrix.
  static let allSteps = [
    GradientRequest(name: "parameter-jacobian", options: ["layout": .text("matrix")])
  ]

  func problem<T: Scalar>(_ type: T.Type) -> RecurrentProblem<T> {
    var state: UInt64 = 5
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / 9_007_199_254_740_992 * 2 - 1
    }
    func values(_ count: Int, _ scale: Double) -> Values<T> {
      Values((0..<count).map { _ in T(next() * scale) })
    }
    let widths = [outer + units] + hidden + [outputs + units]
    let shape = NetworkShape(
      layers: (1..<widths.count).map {
        LayerShape(
          inputs: widths[$0 - 1], outputs: widths[$0], hasBiases: true, activation: .tanh)
      })
    return RecurrentProblem(
      network: Network(
        shape: shape,
        weights: shape.layers.map {
          values($0.inputs * $0.outputs, 1.7 / Double($0.inputs).squareRoot())
        }, biases: shape.layers.map { values($0.outputs, 0.1) }),
      recurrence: Recurrence(units: units), shape: SequenceShape(batch: batch, steps: steps),
      inputs: values(batch * steps * outer, 1.7), initialState: nil,
      targets: values(batch * steps * outputs, 1))
  }

  func plan<T: Scalar>(
    _ problem: RecurrentProblem<T>, strategy: RecurrentStrategy? = nil, blockSteps: Int? = nil
  ) throws -> RecurrentPlan {
    try Planner.plan(
      recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
      dtype: T.type, requests: requests, hasTargets: true, hasInitialState: false, verify: false,
      strategy: strategy, blockSteps: blockSteps)
  }
}

/// The best of several runs in seconds.
func best(_ runs: Int, _ body: () throws -> Void) rethrows -> Double {
  var best = Double.infinity
  for _ in 0..<runs {
    let start = ContinuousClock.now
    try body()
    let parts = (ContinuousClock.now - start).components
    best = min(best, Double(parts.seconds) + Double(parts.attoseconds) * 1e-18)
  }
  return best
}

func round(_ x: Double, _ digits: Int) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  return "\((x * scale).rounded() / scale)"
}

/// Processor seconds of this process, which others on the machine disturb less than the clock.
func processorSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

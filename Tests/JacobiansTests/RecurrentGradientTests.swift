import Jacobians
import TestSupport
import Testing

/// Every gradient of recurrent jobs against the seed's recursion in plain arithmetic.
@Suite struct RecurrentGradientTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let widths: [Int]
    let units: Int
    let activations: [Activation]
    var biases: [Bool]?
    var batch = 2
    var steps = 5
    var lengths: [Int]?
    var hasInitialState = true
    var testDescription: String { name }

    func problem<T: Scalar>(_ type: T.Type, seed: UInt64 = 11) -> RecurrentProblem<T> {
      .random(
        seed: seed, widths: widths, units: units, activations: activations, biases: biases,
        batch: batch, steps: steps, lengths: lengths, hasInitialState: hasInitialState)
    }
  }

  static let cases: [Case] = [
    Case(name: "one layer", widths: [5, 4], units: 3, activations: [.tanh]),
    Case(name: "one linear layer", widths: [5, 4], units: 3, activations: [.identity], steps: 4),
    Case(name: "two layers", widths: [5, 6, 5], units: 3, activations: [.tanh, .identity]),
    Case(
      name: "no biases", widths: [5, 6, 5], units: 2, activations: [.sigmoid, .tanh],
      biases: [false, false]),
    Case(
      name: "three layers, r(0) = 0", widths: [4, 6, 3, 5], units: 2,
      activations: [.silu, .relu, .softsign], biases: [true, false, true], hasInitialState: false),
    Case(name: "one step", widths: [5, 4], units: 3, activations: [.tanh], steps: 1),
    Case(name: "two steps", widths: [5, 7, 4], units: 3, activations: [.tanh, .tanh], steps: 2),
    Case(name: "one unit, one output", widths: [2, 2], units: 1, activations: [.tanh], steps: 7),
    Case(
      name: "softmax last", widths: [5, 6, 5], units: 2, activations: [.tanh, .softmax], steps: 4),
    Case(
      name: "softmax inside, log-softmax last", widths: [5, 4, 5], units: 3,
      activations: [.softmax, .logSoftmax], steps: 4),
    Case(
      name: "lengths", widths: [5, 6, 5], units: 3, activations: [.tanh, .tanh], batch: 4, steps: 6,
      lengths: [6, 1, 3, 6]),
    Case(
      name: "many outputs", widths: [5, 41], units: 3, activations: [.tanh], batch: 1, steps: 6),
    Case(
      name: "many states", widths: [38, 40], units: 36, activations: [.tanh], batch: 1, steps: 6),
    Case(
      name: "large layers", widths: [100, 90, 68], units: 66, activations: [.tanh, .tanh], batch: 1,
      steps: 3),
  ]

  static let strategies: [(RecurrentStrategy?, Int?)] = [
    (nil, nil), (.forward, nil), (.adjoint, nil), (.blocked, 2), (.blocked, 3),
  ]

  static func check<T: Scalar>(
    _ test: Case, as type: T.Type, tolerance: Double, strategy: RecurrentStrategy?,
    blockSteps: Int?, threads: Int = 2
  ) throws {
    let problem = test.problem(type)
    let shape = problem.network.shape
    let results = try RecurrentResults(
      [
        GradientRequest(name: "outputs"), GradientRequest(name: "parameter-jacobian"),
        GradientRequest(name: "parameter-jacobian", options: ["layout": .text("matrix")]),
        GradientRequest(name: "parameter-jacobian", options: ["form": .text("factored")]),
        GradientRequest(name: "state-jacobian"), GradientRequest(name: "input-jacobian"),
        GradientRequest(name: "local-gradients"), GradientRequest(name: "transition-jacobian"),
        GradientRequest(name: "initial-state-jacobian"), GradientRequest(name: "loss"),
        GradientRequest(name: "loss-gradient"),
      ], on: problem, threads: threads, strategy: strategy, blockSteps: blockSteps)
    let perSample = try RecurrentResults(
      [GradientRequest(name: "loss-gradient", options: ["per_sample": .flag(true)])], on: problem)
    let plain = (0..<test.batch).map { problem.plain($0) }
    let m = shape.outputs - test.units
    let nx = shape.inputs - test.units
    func expect(_ path: String, _ expected: [Double]) {
      let error = relativeError(results[path], expected)
      #expect(error <= tolerance, "\(path): \(error)")
    }
    /// All sequences and steps, zeros beyond their ends.
    func over(_ width: Int, _ body: (PlainRecurrence, Int) -> [Double]) -> [Double] {
      plain.flatMap { plain in
        (0..<test.steps).flatMap { n in
          n < plain.states.count ? body(plain, n) : [Double](repeating: 0, count: width)
        }
      }
    }
    expect("outputs", over(m) { Array($0.states[$1][..<m]) })
    expect(
      "transition-jacobian",
      over(test.units * test.units) { $0.transitions[$1][m...].flatMap(\.self) })
    expect(
      "initial-state-jacobian",
      over(m * test.units) { $0.initialJacobians[$1][..<m].flatMap(\.self) })
    expect(
      "input-jacobian",
      over(m * test.steps * nx) { plain, n in
        (0..<m).flatMap { o in
          (0..<test.steps).flatMap { l in
            l < plain.states.count
              ? plain.inputJacobians[n][l][o] : [Double](repeating: 0, count: nx)
          }
        }
      })
    for k in 1...shape.layers.count {
      let width = shape.layers[k - 1].outputs
      expect(
        "local-gradients/delta\(k)",
        over(shape.outputs * width) { $0.localGradients[$1][k - 1].flatMap(\.self) })
    }
    let p = shape.parameterCount
    expect("parameter-jacobian", over(m * p) { $0.stateJacobians[$1][..<m].flatMap(\.self) })
    var start = 0
    for parameter in shape.parameters {
      let count = shape.count(of: parameter)
      let columns = start..<start + count
      start += count
      expect(
        "parameter-jacobian/\(parameter)",
        over(m * count) { $0.stateJacobians[$1][..<m].flatMap { $0[columns] } })
      expect(
        "state-jacobian/\(parameter)",
        over(shape.outputs * count) { $0.stateJacobians[$1].flatMap { $0[columns] } })
      let gradients = plain.indices.map {
        Array(plain[$0].lossGradient(problem.targets(of: $0))[columns])
      }
      let error = relativeError(
        perSample["loss-gradient/\(parameter)"], gradients.flatMap(\.self))
      #expect(error <= tolerance, "loss-gradient of each sequence, \(parameter): \(error)")
      expect(
        "loss-gradient/\(parameter)",
        columns.indices.map { i in gradients.reduce(0) { $0 + $1[i - columns.lowerBound] } })
      expect("parameter-jacobian/\(parameter)", factorsMultiplied(results, parameter, problem))
    }
    expect("loss", plain.indices.map { plain[$0].loss(problem.targets(of: $0)) })
  }

  /// Σ_m G_k[n, o, m, j] a_{k−1}[m, i], or Σ_m G_k[n, o, m, j].
  static func factorsMultiplied<T: Scalar>(
    _ results: RecurrentResults<T>, _ parameter: Parameter, _ problem: RecurrentProblem<T>
  ) -> [Double] {
    let shape = problem.network.shape
    let k = parameter.layer
    let steps = problem.shape.steps
    let m = shape.outputs - problem.recurrence.units
    let width = shape.layers[k - 1].outputs
    let inputs = parameter.kind == .weights ? shape.layers[k - 1].inputs : 1
    let delta = results["parameter-jacobian/delta\(k)"]
    let a = results["parameter-jacobian/a\(k - 1)"]
    var dense: [Double] = []
    for b in 0..<problem.shape.batch {
      for row in 0..<steps * m {
        for j in 0..<width {
          for i in 0..<inputs {
            var sum = 0.0
            for l in 0..<steps {
              let g = Double(delta[((b * steps * m + row) * steps + l) * width + j])
              sum +=
                parameter.kind == .weights ? g * Double(a[(b * steps + l) * inputs + i]) : g
            }
            dense.append(sum)
          }
        }
      }
    }
    return dense
  }

  // Float64: some hundred rounding steps of 2⁻⁵², relative to the largest entry.
  @Test(arguments: cases, strategies.indices)
  func `every gradient agrees with the seed's recursion in float64`(
    _ test: Case, _ strategy: Int
  ) throws {
    let (strategy, blockSteps) = RecurrentGradientTests.strategies[strategy]
    try RecurrentGradientTests.check(
      test, as: Double.self, tolerance: 1e-13, strategy: strategy, blockSteps: blockSteps)
  }

  @Test(arguments: cases) func `every gradient agrees with the seed's recursion in float32`(
    _ test: Case
  ) throws {
    try RecurrentGradientTests.check(
      test, as: Float.self, tolerance: 5e-5, strategy: .blocked, blockSteps: 2)
  }
}

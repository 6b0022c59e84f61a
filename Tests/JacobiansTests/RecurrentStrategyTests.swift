import Jacobians
import TestSupport
import Testing

/// The strategies among themselves, on networks drawn at random, and identities that must hold.
@Suite struct RecurrentStrategyTests {
  /// A problem that a seed determines: one to three layers, T and lengths, batch, biases or none.
  static func drawn(_ seed: UInt64) -> RecurrentProblem<Double> {
    var generator = SeededGenerator(seed: seed &* 77 &+ 3)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let units = pick(1...7)
    let depth = pick(1...3)
    let widths =
      [units + pick(1...4)] + (1..<max(2, depth)).prefix(depth - 1).map { _ in pick(1...8) }
      + [units + pick(1...4)]
    let choices: [Activation] = [
      .tanh, .sigmoid, .identity, .softplus(beta: 1, threshold: 20), .sin,
    ]
    let activations = (0..<depth).map { k in
      pick(0...9) == 0 ? Activation.softmax : k == depth - 1 ? .tanh : choices[pick(0...4)]
    }
    let steps = pick(0...4) == 0 ? pick(1...2) : pick(3...14)
    let batch = pick(1...3)
    return .random(
      seed: seed, widths: widths, units: units, activations: activations,
      biases: (0..<depth).map { _ in pick(0...2) > 0 }, batch: batch, steps: steps,
      lengths: pick(0...1) == 0 ? nil : (0..<batch).map { _ in pick(1...steps) },
      hasInitialState: pick(0...1) == 0, scale: 1.6)
  }

  static let jacobians = [
    GradientRequest(name: "state-jacobian", options: ["layout": .text("matrix")])
  ]

  // Sums in different orders: rounding only, through at most 14 steps of norms up to about two.
  @Test(arguments: 0..<200) func `the three strategies agree`(_ seed: Int) throws {
    let problem = RecurrentStrategyTests.drawn(UInt64(seed))
    let forward = try RecurrentResults(
      RecurrentStrategyTests.jacobians, on: problem, strategy: .forward)["state-jacobian"]
    let scale = forward.reduce(1) { max($0, abs($1)) }
    for (strategy, h) in [
      (RecurrentStrategy.adjoint, nil), (.blocked, 2), (.blocked, 3), (.blocked, 5),
    ] as [(RecurrentStrategy, Int?)] {
      let other = try RecurrentResults(
        RecurrentStrategyTests.jacobians, on: problem, strategy: strategy, blockSteps: h
      )["state-jacobian"]
      let worst = zip(forward, other).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(worst <= 1e-12 * scale, "\(strategy) \(h ?? 0): \(worst / scale)")
      let isFinite = other.allSatisfy(\.isFinite)
      #expect(isFinite)
    }
  }

  // (y − d)ᵀ ∂y/∂w summed over time is ∂E/∂w: rounding only.
  @Test(arguments: 0..<60) func `the Jacobian summed over time gives the loss gradient`(
    _ seed: Int
  ) throws {
    try sum(RecurrentStrategyTests.drawn(UInt64(seed) + 1000))
  }

  // More units than a strip of W has columns, and than a panel has rows; none of them a multiple of the other.
  @Test(arguments: [nil, 1, 3, 5] as [Int?], [[56, 55], [56, 30, 55], [103, 50, 9, 102]])
  func `so it does with wide layers`(_ blockSteps: Int?, _ widths: [Int]) throws {
    let activations: [Activation] = widths.dropFirst(2).map { _ in .sigmoid } + [.tanh]
    try sum(
      .random(
        seed: UInt64(widths[0] + widths.count), widths: widths, units: widths[0] - 3,
        activations: activations, batch: 1, steps: 7),
      strategy: blockSteps == nil ? .adjoint : blockSteps == 1 ? .forward : .blocked,
      blockSteps: blockSteps == 1 ? nil : blockSteps)
  }

  // A W_1r that is left to BLAS, between rows that are kept in panels.
  @Test func `so it does with a layer that no cache holds`() throws {
    try sum(
      .random(
        seed: 8, widths: [367, 366], units: 365, activations: [.tanh], batch: 1, steps: 5),
      strategy: .adjoint)
  }

  private func sum(
    _ problem: RecurrentProblem<Double>, strategy: RecurrentStrategy? = nil,
    blockSteps: Int? = nil
  ) throws {
    let m = problem.network.shape.outputs - problem.recurrence.units
    let results = try RecurrentResults(
      [
        GradientRequest(name: "parameter-jacobian"), GradientRequest(name: "loss-gradient"),
        GradientRequest(name: "outputs"),
      ], on: problem, strategy: strategy, blockSteps: blockSteps)
    let y = results["outputs"]
    let d = try #require(problem.targets).array
    for parameter in problem.network.shape.parameters {
      let count = problem.network.shape.count(of: parameter)
      let jacobian = results["parameter-jacobian/\(parameter)"]
      var sum = [Double](repeating: 0, count: count)
      var size = 1.0
      for row in 0..<problem.shape.batch * problem.shape.steps * m {
        let u = y[row] - d[row]
        for i in 0..<count {
          sum[i] += u * jacobian[row * count + i]
          size = max(size, abs(sum[i]))
        }
      }
      let error = relativeError(results["loss-gradient/\(parameter)"], sum)
      #expect(error <= 1e-12, "\(parameter): \(error)")
    }
  }

  // Rows of few outputs go one by one, those of many in panels.
  @Test(arguments: 0..<40) func `a last step alone has the rows it has among all steps`(
    _ seed: Int
  ) throws {
    let problem = RecurrentStrategyTests.drawn(UInt64(seed) + 2000)
    let all = try RecurrentResults(
      [GradientRequest(name: "parameter-jacobian", options: ["layout": .text("matrix")])],
      on: problem, strategy: .forward)["parameter-jacobian"]
    let last = try RecurrentResults(
      [
        GradientRequest(
          name: "parameter-jacobian", options: ["layout": .text("matrix"), "steps": .text("last")])
      ], on: problem, strategy: .adjoint)["parameter-jacobian"]
    let size = last.count / problem.shape.batch
    for sequence in 0..<problem.shape.batch {
      let step = sequence * problem.shape.steps + problem.shape.length(sequence) - 1
      let expected = Array(all[step * size..<(step + 1) * size])
      let own = Array(last[sequence * size..<(sequence + 1) * size])
      #expect(relativeError(own, expected) <= 1e-12)
    }
  }

  // Unit 0 is saturated for good, so its weight is infinite and its slope zero: what later steps owe it is 0 · ∞.
  @Test(arguments: [RecurrentStrategy.forward, .adjoint, .blocked])
  func `what later steps owe an infinite weight does not reach the rows of the first`(
    _ strategy: RecurrentStrategy
  ) throws {
    let (units, steps) = (3, 11)
    let drawn = RecurrentProblem<Double>.random(
      seed: 5, widths: [units + 1, units + 1], units: units, activations: [.tanh], batch: 1,
      steps: steps)
    var w = drawn.network.weights[0].array
    w[1 * (units + 1) + 1] = .infinity
    let problem = RecurrentProblem(
      network: Network(
        shape: drawn.network.shape, weights: [Values(w)], biases: drawn.network.biases),
      recurrence: drawn.recurrence, shape: drawn.shape, inputs: drawn.inputs,
      initialState: Values([1, 0.5, -0.5]), targets: drawn.targets)
    let jacobian = try RecurrentResults(
      [GradientRequest(name: "parameter-jacobian", options: ["layout": .text("matrix")])],
      on: problem, strategy: strategy)["parameter-jacobian"]
    let size = jacobian.count / steps
    let first = jacobian[0..<size].allSatisfy(\.isFinite)
    #expect(first)
    let later = jacobian[size...].contains { $0.isNaN }
    #expect(later, "the test shows something")
  }

  // ∂z(n)/∂w from the feed-forward engine's ∂f/∂w and ∂f/∂(x, r) at (x(n), r(n−1)), step by step.
  @Test(arguments: 0..<20) func `the network unrolled by the feed-forward engine agrees`(
    _ seed: Int
  ) throws {
    let problem = RecurrentStrategyTests.drawn(UInt64(seed) + 5000)
    let shape = problem.network.shape
    let units = problem.recurrence.units
    let z = shape.outputs
    let p = shape.parameterCount
    let results = try RecurrentResults(RecurrentStrategyTests.jacobians, on: problem)[
      "state-jacobian"]
    for sequence in 0..<problem.shape.batch {
      var r = problem.initialState(of: sequence)
      var before = [Double](repeating: 0, count: units * p)
      for (n, x) in problem.inputs(of: sequence).enumerated() {
        let step = try Results(
          [
            GradientRequest(name: "outputs"), GradientRequest(name: "input-jacobian"),
            GradientRequest(name: "parameter-jacobian", options: ["layout": .text("matrix")]),
          ],
          on: Problem(network: problem.network, inputs: Values(x + r), targets: nil, batch: 1))
        var jacobian = step["parameter-jacobian"]
        let inputs = step["input-jacobian"]
        for o in 0..<z {
          for q in 0..<units {
            let factor = inputs[o * shape.inputs + x.count + q]
            for i in 0..<p { jacobian[o * p + i] += factor * before[q * p + i] }
          }
        }
        before = Array(jacobian[(z - units) * p..<z * p])
        r = Array(step["outputs"].suffix(units))
        let start = (sequence * problem.shape.steps + n) * z * p
        let error = relativeError(Array(results[start..<start + z * p]), jacobian)
        #expect(error <= 1e-12, "step \(n + 1): \(error)")
      }
    }
  }

  // Central differences with step 1e-5: the square of it times third derivatives, and rounding.
  @Test(arguments: 0..<20) func `finite differences along a random direction agree`(
    _ seed: Int
  ) throws {
    let problem = RecurrentStrategyTests.drawn(UInt64(seed) + 9000)
    let results = try RecurrentResults(RecurrentStrategyTests.jacobians, on: problem)[
      "state-jacobian"]
    var generator = SeededGenerator(seed: UInt64(seed))
    let p = problem.network.shape.parameterCount
    let direction = generator.numbers(p)
    func states(_ step: Double) -> [[[Double]]] {
      var next = 0
      func moved(_ values: Values<Double>) -> Values<Double> {
        Values(
          values.array.map { number in
            defer { next += 1 }
            return number + step * direction[next]
          })
      }
      var weights: [Values<Double>] = []
      var biases: [Values<Double>?] = []
      for k in problem.network.weights.indices {
        weights.append(moved(problem.network.weights[k]))
        biases.append(problem.network.biases[k].map { moved($0) })
      }
      let plain = PlainNetwork(
        Network(shape: problem.network.shape, weights: weights, biases: biases))
      return (0..<problem.shape.batch).map { sequence in
        var r = problem.initialState(of: sequence)
        return problem.inputs(of: sequence).map { x in
          let z = plain.outputs(x + r)
          r = Array(z.suffix(problem.recurrence.units))
          return z
        }
      }
    }
    let (ahead, behind) = (states(1e-5), states(-1e-5))
    let z = problem.network.shape.outputs
    for sequence in ahead.indices {
      for n in ahead[sequence].indices {
        for o in 0..<z {
          let slope = (ahead[sequence][n][o] - behind[sequence][n][o]) / 2e-5
          let start = ((sequence * problem.shape.steps + n) * z + o) * p
          let product = (0..<p).reduce(0) { $0 + results[start + $1] * direction[$1] }
          #expect(abs(product - slope) <= 1e-6 * max(1, abs(slope)))
        }
      }
    }
  }
}

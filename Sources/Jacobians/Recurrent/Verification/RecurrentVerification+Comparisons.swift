extension RecurrentVerification {
  /// One sequence's own steps and what it starts from, widened.
  struct Path {
    /// x(n).
    var inputs: [[Double]]
    /// r(0).
    let initialState: [Double]
    /// d(n), if there are targets.
    let targets: [[Double]]?

    init(_ problem: RecurrentProblem<T>, _ sequence: Int) {
      func rows(_ values: Values<T>, _ width: Int) -> [[Double]] {
        (0..<problem.shape.length(sequence)).map { n in
          let first = (sequence * problem.shape.steps + n) * width
          return (0..<width).map { Double(values.span[first + $0]) }
        }
      }
      let network = problem.network.shape
      let units = problem.recurrence.units
      inputs = rows(problem.inputs, network.outerInputs(problem.recurrence))
      targets = problem.targets.map { rows($0, network.outerOutputs(problem.recurrence)) }
      initialState = (0..<units).map { i in
        problem.initialState.map { Double($0.span[sequence * units + i]) } ?? 0
      }
    }
  }

  /// Whether it meets a kink, or a number that is not finite: differences say nothing there.
  func isDoubtful(_ path: Path) -> Bool {
    var r = path.initialState
    for x in path.inputs {
      if plain.isDoubtful(x + r) { return true }
      r = Array(plain.outputs(x + r).outputs.suffix(r.count))
    }
    return r.contains { !$0.isFinite }
  }

  /// z(n) of all steps, and the sides of kinks on the way.
  func arrive(
    _ path: Path, moving direction: PlainPass<T>.Direction? = nil, step: Double = 0
  ) -> (states: [[Double]], sides: [Int8]) {
    var states: [[Double]] = []
    var sides: [Int8] = []
    var r = path.initialState
    for x in path.inputs {
      let arrival = plain.outputs(x + r, moving: direction, step: step)
      states.append(arrival.outputs)
      sides += arrival.sides
      r = Array(arrival.outputs.suffix(r.count))
    }
    return (states, sides)
  }

  /// The error of check 1, or nil when the reference is not finite.
  func compareSums(_ path: Path, _ sequence: Int) -> Double? {
    let network = problem.network.shape
    let m = network.outerOutputs(problem.recurrence)
    let states = arrive(path).states
    var random = SplitMix(seed: UInt64(sequence) ^ 0x1405_7b7e_f767_814f)
    let u = states.indices.map { n in
      (0..<m).map { o in
        !outputs.contains(o) ? 0 : path.targets.map { states[n][o] - $0[n][o] } ?? random.number()
      }
    }
    let p = network.parameterCount
    var expected = [Double](repeating: 0, count: p)
    var below = [Double](repeating: 0, count: problem.recurrence.units)
    for n in states.indices.reversed() {
      let r = n == 0 ? path.initialState : Array(states[n - 1].suffix(below.count))
      let (a, g) = plain.backpropagation(path.inputs[n] + r, pulling: u[n] + below)
      var column = 0
      for (index, layer) in network.layers.enumerated() {
        for j in 0..<layer.outputs {
          for i in 0..<layer.inputs {
            expected[column] += g[index + 1][j] * a[index][i]
            column += 1
          }
        }
        if layer.hasBiases {
          for j in 0..<layer.outputs {
            expected[column] += g[index + 1][j]
            column += 1
          }
        }
      }
      below = Array(g[0].suffix(below.count))
    }
    guard expected.allSatisfy(\.isFinite) else { return nil }
    var worst = 0.0
    var scale = Double.leastNormalMagnitude
    for column in 0..<p {
      var sum = 0.0
      var size = 0.0
      for n in states.indices {
        for (row, o) in outputs.enumerated() {
          let term = u[n][o] * entry(sequence, n, row, column)
          sum += term
          size += abs(term)
        }
      }
      scale = max(scale, size, abs(expected[column]))
      let difference = abs(sum - expected[column])
      worst = difference.isNaN ? .infinity : max(worst, difference)
    }
    return worst / scale
  }

  private func entry(_ sequence: Int, _ n: Int, _ row: Int, _ column: Int) -> Double {
    let p = problem.network.shape.parameterCount
    return Double(
      jacobian[((sequence * problem.shape.steps + n) * outputs.count + row) * p + column])
  }

  /// ∂y(n)/∂w · v for all n and outputs looked at.
  func product(
    _ direction: PlainPass<T>.Direction, _ path: Path, _ sequence: Int
  ) -> [Double] {
    var random = SplitMix(seed: direction.seed)
    var v: [Double] = []
    for layer in problem.network.shape.layers {
      let scale = 1 / Double(layer.inputs).squareRoot()
      for _ in 0..<layer.parameterCount { v.append(scale * random.number()) }
    }
    return path.inputs.indices.flatMap { n in
      outputs.indices.map { row in
        v.indices.reduce(0) { $0 + entry(sequence, n, row, $1) * v[$1] }
      }
    }
  }

  /// Σ_l ∂y(N)/∂x(l) · d(l).
  func inputProduct(_ d: [[Double]], _ sequence: Int) -> [Double] {
    let width = d[0].count
    return outputs.indices.map { row in
      var sum = 0.0
      for (l, numbers) in d.enumerated() {
        for i in 0..<width {
          let place =
            ((sequence * outputs.count + row) * problem.shape.steps + l) * width + i
          sum += Double(inputJacobian[place]) * numbers[i]
        }
      }
      return sum
    }
  }

  /// The error of checks 2 and 3 for the best step, or nil when no step can be believed.
  func difference(
    _ path: Path, expected: [Double], rows: Range<Int>, tolerance: Double,
    _ moved: (Double) -> (states: [[Double]], sides: [Int8])
  ) -> Double? {
    let here = arrive(path)
    var best: Double?
    for step in Verification.steps {
      let ahead = moved(step)
      let behind = moved(-step)
      guard ahead.sides == here.sides, behind.sides == here.sides else { continue }
      var worst = 0.0
      var scale = Double.leastNormalMagnitude
      for (r, n) in rows.enumerated() {
        for (row, o) in outputs.enumerated() {
          let slope = (ahead.states[n][o] - behind.states[n][o]) / (2 * step)
          guard slope.isFinite else { return nil }
          scale = max(scale, abs(slope), abs(here.states[n][o]))
          let difference = abs(expected[r * outputs.count + row] - slope)
          worst = difference.isNaN ? .infinity : max(worst, difference)
        }
      }
      let error = worst.isFinite ? worst / scale : .infinity
      best = min(best ?? .infinity, error)
      if error <= tolerance { break }
    }
    return best
  }
}

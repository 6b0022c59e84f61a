/// The beginning of a few sequences of a job, computed by the job's own strategy, ready to be compared with plain arithmetic.
///
/// 1. Σ_n u(n)ᵀ ∂y(n)/∂w with backpropagation through time of u = y − d (random numbers where there are no targets).
/// 2. ∂y(n)/∂w · v for every n with central differences of y along a seeded random direction v.
/// 3. The same along a seeded random direction in all x, for the last n.
/// 4. What the job asks for that is made of ∂y(n)/∂w with rows of it (`ContractionCheck`).
struct RecurrentVerification<T: Scalar> {
  private let problem: RecurrentProblem<T>
  private let outputs: [Int]
  private let plain: PlainPass<T>
  private let jacobian: [T]
  private let inputJacobian: [T]
  private let requests: [GradientRequest]
  private let strategy: RecurrentStrategy?

  /// At most so many sequences, steps of them, and outputs are looked at.
  static var mostSequences: Int { 2 }
  static var mostSteps: Int { 24 }
  static var mostOutputs: Int { 4 }
  /// Fewer steps where the Jacobians would have more numbers than this, but no fewer than three.
  static var mostNumbers: Int { 1 << 23 }

  /// How many numbers are kept: the Jacobians of all sequences looked at.
  static func numberCount(
    _ network: NetworkShape, _ recurrence: Recurrence, _ shape: SequenceShape
  ) -> Int? {
    let steps = steps(network, recurrence, shape)
    let outputs = min(mostOutputs, network.outerOutputs(recurrence))
    var size = CheckedSize(
      product: [min(mostSequences, shape.batch), steps, outputs, network.parameterCount])
    size.multiply(by: 2)
    return size.value
  }

  /// Bytes that the checks of a job's contractions take at once, or nil when they leave 63 bits.
  static func contractionBytes(
    _ requests: [GradientRequest], _ network: NetworkShape, _ recurrence: Recurrence,
    _ shape: SequenceShape, dtype: ScalarType
  ) -> Int? {
    let m = network.outerOutputs(recurrence)
    let beginnings = SequenceShape(
      batch: min(mostSequences, shape.batch), steps: steps(network, recurrence, shape))
    var most = 0
    for asked in requests {
      guard
        let check = ContractionCheck(
          asked, of: network, outputs: EngineFactors.spread(mostOutputs, over: m),
          units: [beginnings.batch, beginnings.steps]),
        let plan = try? Planner.plan(
          recurrent: network, recurrence: recurrence, shape: beginnings, dtype: dtype,
          requests: [check.request], hasTargets: false, hasInitialState: true, verify: false)
      else { continue }
      // Rows of float64; the results, and widened copies of them.
      var bytes = CheckedSize(numberCount(network, recurrence, shape) ?? .max)
      bytes.multiply(by: 8)
      bytes.add(plan.peakMemory(threads: 1) - plan.problemBytes)
      bytes.add(CheckedSize(product: [plan.resultBytes, 4]).value)
      guard let value = bytes.value else { return nil }
      most = max(most, value)
    }
    return most
  }

  private static func steps(
    _ network: NetworkShape, _ recurrence: Recurrence, _ shape: SequenceShape
  ) -> Int {
    let perStep = CheckedSize(
      product: [
        mostSequences, min(mostOutputs, network.outerOutputs(recurrence)), network.parameterCount,
      ]
    ).value
    let affordable = perStep.map { mostNumbers / max(1, $0) } ?? 3
    return min(shape.steps, mostSteps, max(3, affordable))
  }

  /// Computes the Jacobians of the beginnings.
  init(
    of whole: RecurrentProblem<T>, strategy: RecurrentStrategy?, requests: [GradientRequest] = []
  ) throws {
    self.requests = requests
    self.strategy = strategy
    let network = whole.network.shape
    let steps = Self.steps(network, whole.recurrence, whole.shape)
    let m = network.outerOutputs(whole.recurrence)
    let count = min(Self.mostOutputs, m)
    outputs = (0..<count).map { $0 * (m / count) + $0 * (m % count) / count }
    let sequences = min(Self.mostSequences, whole.shape.batch)
    problem = whole.taking(sequences: sequences, steps: steps)
    plain = PlainPass(network: whole.network)
    let plan = try Planner.plan(
      recurrent: network, recurrence: whole.recurrence, shape: problem.shape, dtype: T.type,
      requests: [
        GradientRequest(
          name: "parameter-jacobian",
          options: ["layout": .text("matrix"), "outputs": .integers(outputs)]),
        GradientRequest(
          name: "input-jacobian", options: ["steps": .text("last"), "outputs": .integers(outputs)]),
      ], hasTargets: problem.targets != nil, hasInitialState: problem.initialState != nil,
      verify: false, strategy: strategy,
      blockSteps: strategy == .blocked ? max(1, steps / 3) : nil)
    let sink = KeptResults<T>(plan.arrays)
    _ = try Computation.run(plan, on: problem, into: sink, threads: 1, monitor: NoMonitor())
    let arrays = sink.arrays
    jacobian = arrays[0]
    inputJacobian = arrays[1]
  }

  /// All comparisons.
  func verification() throws -> Verification {
    let u = problem.targets == nil ? "u" : "(y − d)"
    var backpropagation = Verification.Check(
      name: "Σ_n \(u)ᵀ ∂y(n)/∂w against backpropagation through time",
      tolerance: Verification.backpropagationTolerance(T.type))
    var parameters = Verification.Check(
      name: "∂y(n)/∂w against finite differences",
      tolerance: Verification.differenceTolerance(T.type))
    var inputs = Verification.Check(
      name: "∂y(n)/∂x against finite differences",
      tolerance: Verification.differenceTolerance(T.type))
    for sequence in 0..<problem.shape.batch {
      let path = Path(problem, sequence)
      guard !isDoubtful(path) else {
        backpropagation.record(nil)
        parameters.record(nil)
        inputs.record(nil)
        continue
      }
      backpropagation.record(compareSums(path, sequence))
      let direction = PlainPass<T>.Direction(seed: UInt64(sequence) &+ 17)
      parameters.record(
        difference(
          path, expected: product(direction, path, sequence), rows: 0..<path.inputs.count,
          tolerance: parameters.tolerance
        ) { step in arrive(path, moving: direction, step: step) })
      var random = SplitMix(seed: UInt64(sequence) ^ 0x5851_f42d_4c95_7f2d)
      let d = path.inputs.map { $0.map { _ in random.number() } }
      inputs.record(
        difference(
          path, expected: inputProduct(d, sequence),
          rows: path.inputs.count - 1..<path.inputs.count, tolerance: inputs.tolerance
        ) { step in
          var moved = path
          moved.inputs = zip(path.inputs, d).map { zip($0, $1).map { $0 + step * $1 } }
          return arrive(moved)
        })
    }
    return Verification(
      checks: [backpropagation, parameters, inputs] + (try contractionChecks()))
  }

  /// The contractions that the job asks for, of the same beginnings.
  private func contractionChecks() throws -> [Verification.Check] {
    let network = problem.network.shape
    let sequences = problem.shape.batch
    let steps = problem.shape.steps
    let p = network.parameterCount
    let m = network.outerOutputs(problem.recurrence)
    var checks: [Verification.Check] = []
    for (i, asked) in requests.enumerated() {
      guard
        let check = ContractionCheck(
          asked, of: network, outputs: outputs, units: [sequences, steps])
      else { continue }
      var comparison = Verification.Check(
        name: "\(asked.name) of gradients[\(i)] against ∂y(n)/∂w multiplied out",
        tolerance: Verification.backpropagationTolerance(T.type))
      let plan = try Planner.plan(
        recurrent: network, recurrence: problem.recurrence, shape: problem.shape, dtype: T.type,
        requests: [check.request], hasTargets: false,
        hasInitialState: problem.initialState != nil, verify: false, strategy: strategy)
      let sink = KeptResults<T>(plan.arrays)
      let own = RecurrentProblem(
        network: problem.network, recurrence: problem.recurrence, shape: problem.shape,
        inputs: problem.inputs, initialState: problem.initialState, targets: nil,
        operands: check.operands(T.self))
      _ = try Computation.run(plan, on: own, into: sink, threads: 1, monitor: NoMonitor())
      // The columns of the parameters asked for.
      var columns: [Range<Int>] = []
      var first = 0
      for parameter in network.parameters {
        let count = network.count(of: parameter)
        if check.parameters.contains(parameter) { columns.append(first..<first + count) }
        first += count
      }
      var rows: [[[Double]]] = []
      var logits: [[Double]] = []
      for sequence in 0..<sequences {
        let states = arrive(Path(problem, sequence)).states
        for n in 0..<steps {
          rows.append(
            outputs.indices.map { row in
              let start = ((sequence * steps + n) * outputs.count + row) * p
              return columns.flatMap { $0.map { Double(jacobian[start + $0]) } }
            })
          logits.append(
            n < states.count ? Array(states[n][..<m]) : [Double](repeating: 0, count: m))
        }
      }
      comparison.record(
        check.error(of: sink.widened, rows: rows, logits: logits), samples: sequences)
      checks.append(comparison)
    }
    return checks
  }

  /// One sequence's own steps and what it starts from, widened.
  private struct Path {
    var inputs: [[Double]]
    let initialState: [Double]
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

  private func isDoubtful(_ path: Path) -> Bool {
    var r = path.initialState
    for x in path.inputs {
      if plain.isDoubtful(x + r) { return true }
      r = Array(plain.outputs(x + r).outputs.suffix(r.count))
    }
    return r.contains { !$0.isFinite }
  }

  /// z(n) of all steps, and the sides of kinks on the way.
  private func arrive(
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
  private func compareSums(_ path: Path, _ sequence: Int) -> Double? {
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
  private func product(
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
  private func inputProduct(_ d: [[Double]], _ sequence: Int) -> [Double] {
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
  private func difference(
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

extension RecurrentProblem {
  /// The beginnings of the first sequences, copied.
  fileprivate func taking(sequences: Int, steps: Int) -> RecurrentProblem {
    func beginnings(_ values: Values<T>, _ width: Int) -> Values<T> {
      Values(count: sequences * steps * width) { (span: inout MutableSpan<T>) in
        for sequence in 0..<sequences {
          for i in 0..<steps * width {
            span[sequence * steps * width + i] = values.span[sequence * shape.steps * width + i]
          }
        }
      }
    }
    let units = recurrence.units
    return RecurrentProblem(
      network: network, recurrence: recurrence,
      shape: SequenceShape(
        batch: sequences, steps: steps,
        lengths: shape.lengths.map { $0[..<sequences].map { min($0, steps) } }),
      inputs: beginnings(inputs, network.shape.outerInputs(recurrence)),
      initialState: initialState.map { state in
        Values((0..<sequences * units).map { state.span[$0] })
      },
      targets: targets.map { beginnings($0, network.shape.outerOutputs(recurrence)) })
  }
}

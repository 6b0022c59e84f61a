/// The beginning of a few sequences of a job, computed by the job's own strategy, ready to be compared with plain arithmetic.
///
/// 1. Σ_n u(n)ᵀ ∂y(n)/∂w with backpropagation through time of u = y − d (random numbers where there are no targets).
/// 2. ∂y(n)/∂w · v for every n with central differences of y along a seeded random direction v.
/// 3. The same along a seeded random direction in all x, for the last n.
/// 4. What the job asks for that is made of ∂y(n)/∂w with rows of it (`ContractionCheck`).
struct RecurrentVerification<T: Scalar> {
  /// The beginnings of the first sequences.
  let problem: RecurrentProblem<T>
  /// Which outputs of y are looked at.
  let outputs: [Int]
  /// Plain arithmetic, one sample at a time.
  let plain: PlainPass<T>
  /// ∂y(n)/∂w as the engine has it, (sequences, steps, outputs, P).
  let jacobian: [T]
  /// ∂y(N)/∂x(l) of the last step, (sequences, outputs, steps, n_x).
  let inputJacobian: [T]
  /// What the job asks for.
  let requests: [GradientRequest]
  /// The way the job takes to ∂y(n)/∂w, if it has one.
  let strategy: RecurrentStrategy?

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
}

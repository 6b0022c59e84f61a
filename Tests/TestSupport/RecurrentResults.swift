package import Jacobians

/// A computed recurrent job in memory.
package struct RecurrentResults<T: Scalar> {
  package let plan: RecurrentPlan
  package let report: ComputationReport
  private let arrays: [String: [T]]

  /// Plans and computes requests; every number must be written exactly once.
  package init(
    _ requests: [GradientRequest], on problem: RecurrentProblem<T>, threads: Int = 1,
    verify: Bool = false, strategy: RecurrentStrategy? = nil, memory: Int? = nil,
    blockSteps: Int? = nil
  ) throws {
    plan = try Planner.plan(
      recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
      dtype: T.type, requests: requests, hasTargets: problem.targets != nil,
      hasInitialState: problem.initialState != nil, verify: verify, strategy: strategy,
      memory: memory, blockSteps: blockSteps)
    let sink = MemorySink<T>(plan.arrays)
    report = try Computation.run(
      plan, on: problem, into: sink, threads: threads, monitor: QuietMonitor())
    precondition(sink.isWrittenOnce, "every number is written once")
    arrays = Dictionary(uniqueKeysWithValues: zip(plan.arrays.map(\.path), sink.arrays))
  }

  /// The array published under that path.
  package subscript(path: String) -> [T] { arrays[path] ?? [] }

  /// All paths.
  package var paths: [String] { plan.arrays.map(\.path) }
}

extension RecurrentProblem {
  /// The same with arrays that gradients take, by their places.
  package func with(_ operands: [String: Values<T>]) -> RecurrentProblem<T> {
    RecurrentProblem(
      network: network, recurrence: recurrence, shape: shape, inputs: inputs,
      initialState: initialState, targets: targets, operands: operands)
  }

  /// A recurrent network of given widths of f with random numbers, and random sequences.
  package static func random(
    seed: UInt64, widths: [Int], units: Int, activations: [Activation], biases: [Bool]? = nil,
    batch: Int, steps: Int, lengths: [Int]? = nil, hasTargets: Bool = true,
    hasInitialState: Bool = true, scale: Double = 1.5
  ) -> RecurrentProblem<T> {
    let base = Problem<T>.random(
      seed: seed, widths: widths, activations: activations, biases: biases, batch: 0, scale: scale)
    var generator = SeededGenerator(seed: seed ^ 0xabcd)
    let shape = base.network.shape
    let recurrence = Recurrence(units: units)
    func numbers(_ count: Int, _ scale: Double) -> Values<T> {
      Values(generator.numbers(count, scale: scale).map { T($0) })
    }
    return RecurrentProblem(
      network: base.network, recurrence: recurrence,
      shape: SequenceShape(batch: batch, steps: steps, lengths: lengths),
      inputs: numbers(batch * steps * shape.outerInputs(recurrence), 1.5),
      initialState: hasInitialState ? numbers(batch * units, 1) : nil,
      targets: hasTargets ? numbers(batch * steps * shape.outerOutputs(recurrence), 1) : nil)
  }

  /// One sequence's own steps of inputs, widened.
  package func inputs(of sequence: Int) -> [[Double]] {
    rows(inputs, width: network.shape.outerInputs(recurrence), of: sequence)
  }

  /// One sequence's own steps of targets, widened.
  package func targets(of sequence: Int) -> [[Double]] {
    guard let targets else { return [] }
    return rows(targets, width: network.shape.outerOutputs(recurrence), of: sequence)
  }

  /// One sequence's r(0), widened.
  package func initialState(of sequence: Int) -> [Double] {
    let units = recurrence.units
    guard let initialState else { return [Double](repeating: 0, count: units) }
    return (0..<units).map { Double(initialState.span[sequence * units + $0]) }
  }

  /// The seed's recursion of one sequence.
  package func plain(_ sequence: Int) -> PlainRecurrence {
    PlainRecurrence(
      PlainNetwork(network), parameters: network.shape.parameters, units: recurrence.units,
      inputs: inputs(of: sequence), initialState: initialState(of: sequence))
  }

  private func rows(_ values: Values<T>, width: Int, of sequence: Int) -> [[Double]] {
    (0..<shape.length(sequence)).map { n in
      let start = (sequence * shape.steps + n) * width
      return (0..<width).map { Double(values.span[start + $0]) }
    }
  }
}

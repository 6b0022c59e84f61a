extension RecurrentVerification {
  /// The contractions that the job asks for, of the same beginnings.
  func contractionChecks() throws -> [Verification.Check] {
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
}

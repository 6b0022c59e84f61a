extension EngineFactors {
  /// At most so many samples are looked at for a contraction.
  private static let mostContracted = 2

  private static func contracted(_ samples: Int) -> Int { min(mostContracted, samples) }

  /// The check of a request, and whether its rows are few enough.
  private static func check(
    _ asked: GradientRequest, of network: NetworkShape, samples: Int, outputs: [Int]
  ) -> (check: ContractionCheck, isAffordable: Bool)? {
    let outputs = Array(outputs.prefix(ContractionCheck.mostOutputs))
    guard let check = ContractionCheck(asked, of: network, outputs: outputs, units: [samples])
    else { return nil }
    let columns = check.parameters.reduce(0) { $0 + network.count(of: $1) }
    let numbers = CheckedSize(product: [samples, outputs.count, columns]).value ?? .max
    return (check, numbers <= ContractionCheck.mostNumbers)
  }

  /// Bytes that the checks of a job's contractions take at once, or nil when they leave 63 bits.
  static func contractionBytes(
    _ requests: [GradientRequest], of network: NetworkShape, batch: Int, dtype: ScalarType
  ) -> Int? {
    let samples = contracted(batch)
    var most = 0
    for asked in requests {
      guard
        let (check, isAffordable) = EngineFactors.check(
          asked, of: network, samples: samples,
          outputs: spread(mostOutputs, over: network.outputs)), isAffordable,
        let plan = try? Planner.plan(
          network: network, batch: samples, dtype: dtype, requests: [check.request],
          hasTargets: false, verify: false)
      else { continue }
      var bytes = CheckedSize(product: [ContractionCheck.mostNumbers, 8])
      bytes.add(plan.peakMemory(threads: 1) - plan.problemBytes)
      // The results, and widened copies of them.
      bytes.add(CheckedSize(product: [plan.resultBytes, 4]).value)
      guard let value = bytes.value else { return nil }
      most = max(most, value)
    }
    return most
  }

  /// Compares the contractions that a job asks for with rows of ∂y/∂w, put together from the factors.
  func contractionChecks<T: Scalar>(
    of requests: [GradientRequest], on problem: Problem<T>
  ) throws -> [Verification.Check] {
    let network = problem.network.shape
    let count = EngineFactors.contracted(samples.count)
    var checks: [Verification.Check] = []
    for (i, asked) in requests.enumerated() {
      guard
        let (check, isAffordable) = EngineFactors.check(
          asked, of: network, samples: count, outputs: outputs)
      else { continue }
      var comparison = Verification.Check(
        name: "\(asked.name) of gradients[\(i)] against ∂y/∂w multiplied out",
        tolerance: Verification.backpropagationTolerance(T.type))
      if isAffordable && count > 0 {
        let plan = try Planner.plan(
          network: network, batch: count, dtype: T.type, requests: [check.request],
          hasTargets: false, verify: false)
        let sink = KeptResults<T>(plan.arrays)
        let some = problem.taking(Array(samples.prefix(count)))
        _ = try Computation.run(
          plan,
          on: Problem(
            network: some.network, inputs: some.inputs, targets: nil, batch: count,
            operands: check.operands(T.self)), into: sink, threads: 1, monitor: NoMonitor())
        let m = min(ContractionCheck.mostOutputs, outputs.count)
        comparison.record(
          check.error(
            of: sink.widened,
            rows: (0..<count).map { s in (0..<m).map { row(s, $0, check.parameters, network) } },
            logits: (0..<count).map { s in
              Array(
                activations[network.layers.count][
                  s * network.outputs..<(s + 1) * network.outputs])
            }), samples: count)
      } else {
        comparison.record(nil, samples: count)
      }
      checks.append(comparison)
    }
    return checks
  }

  /// ∂y_o/∂w of a sample, for some parameters.
  private func row(
    _ sample: Int, _ output: Int, _ parameters: [Parameter], _ network: NetworkShape
  ) -> [Double] {
    var row: [Double] = []
    for parameter in parameters {
      let k = parameter.layer
      let first = (sample * outputs.count + output) * network.width(k)
      let delta = localGradients[k][first..<first + network.width(k)]
      if parameter.kind == .biases {
        row += delta
      } else {
        let inputs = network.width(k - 1)
        let a = activations[k - 1][sample * inputs..<(sample + 1) * inputs]
        for d in delta { for input in a { row.append(d * input) } }
      }
    }
    return row
  }
}

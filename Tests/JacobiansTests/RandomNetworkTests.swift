import Jacobians
import TestSupport
import Testing

/// Random networks with random requests against the plain implementation.
@Suite struct RandomNetworkTests {
  struct Draw<T: Scalar> {
    let problem: Problem<T>
    let parameters: [Parameter]
    let outputs: [Int]
    let threads: Int
    let blockSamples: Int?

    init(seed: UInt64) {
      var random = SeededGenerator(seed: seed)
      let depth = Int.random(in: 1...5, using: &random)
      let widths = (0...depth).map { _ in Int.random(in: 1...9, using: &random) }
      let activations = (0..<depth).map { _ in
        ActivationTests.all.randomElement(using: &random) ?? .identity
      }
      let biases = (0..<depth).map { _ in Bool.random(using: &random) }
      problem = Problem.random(
        seed: seed &+ 1000, widths: widths, activations: activations, biases: biases,
        batch: Int.random(in: 1...20, using: &random))
      let all = problem.network.shape.parameters
      let some = all.filter { _ in Bool.random(using: &random) }
      parameters = some.isEmpty ? all : some
      let m = widths[depth]
      outputs = Array(
        (0..<m).shuffled(using: &random).prefix(Int.random(in: 1...m, using: &random)))
      threads = Int.random(in: 1...3, using: &random)
      blockSamples = Bool.random(using: &random) ? Int.random(in: 1...7, using: &random) : nil
    }
  }

  // At most five layers of at most nine units: some hundred roundings, relative to the largest entry.
  @Test(arguments: UInt64(0)..<80)
  func `requests of a random network agree with the plain formulas`(
    _ seed: UInt64
  ) throws {
    let draw = Draw<Double>(seed: seed)
    let problem = draw.problem
    let plain = PlainNetwork(problem.network)
    let names = GradientRequest.Option.texts(draw.parameters.map(\.description))
    let outputs = GradientRequest.Option.integers(draw.outputs)
    let results = try Results(
      [
        GradientRequest(
          name: "parameter-jacobian", options: ["parameters": names, "outputs": outputs]),
        GradientRequest(
          name: "parameter-jacobian",
          options: ["parameters": names, "outputs": outputs, "layout": .text("matrix")]),
        GradientRequest(name: "input-jacobian", options: ["outputs": outputs]),
        GradientRequest(name: "loss-gradient", options: ["parameters": names]),
      ], on: problem, threads: draw.threads, verify: true, blockSamples: draw.blockSamples)
    func expect(_ actual: [Double], _ expected: [Double], _ what: String) {
      let error = relativeError(actual, expected)
      #expect(error < 1e-12, "\(what) of \(problem.network.shape.layers): \(error)")
    }
    let x = (0..<problem.batch).map { problem.input($0) }
    let t = (0..<problem.batch).map { problem.target($0) }
    var rows = x.map { _ in draw.outputs.map { _ in [Double]() } }
    for parameter in draw.parameters {
      let jacobians = x.map { x in
        let whole = plain.jacobian(parameter, x)
        return draw.outputs.map { whole[$0] }
      }
      expect(
        results["parameter-jacobian/\(parameter)"], jacobians.flatMap { $0.flatMap(\.self) },
        "∂y/∂\(parameter)")
      for b in x.indices { for o in rows[b].indices { rows[b][o] += jacobians[b][o] } }
      let gradients = x.indices.map { plain.lossGradient(parameter, x[$0], t[$0]) }
      let sum = gradients[0].indices.map { i in gradients.reduce(0.0) { $0 + $1[i] } }
      expect(results["loss-gradient/\(parameter)"], sum, "∂ε/∂\(parameter)")
    }
    expect(results["parameter-jacobian"], rows.flatMap { $0.flatMap(\.self) }, "∂y/∂w")
    let inputs = x.flatMap { x -> [Double] in
      let whole = plain.localGradient(0, x)
      return draw.outputs.flatMap { whole[$0] }
    }
    expect(results["input-jacobian"], inputs, "∂y/∂x")
    let verification = try #require(results.report.verification)
    #expect(verification.passed, "\(problem.network.shape.layers): \(verification.checks)")
  }

  @Test(arguments: UInt64(0)..<80) func `float32 factors of a random network pass their checks`(
    _ seed: UInt64
  ) throws {
    let draw = Draw<Float>(seed: seed)
    let results = try Results(
      [GradientRequest(name: "outputs")], on: draw.problem, verify: true)
    let verification = try #require(results.report.verification)
    #expect(verification.passed, "\(draw.problem.network.shape.layers): \(verification.checks)")
  }
}

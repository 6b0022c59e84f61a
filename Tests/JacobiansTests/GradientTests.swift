import Jacobians
import TestSupport
import Testing

/// Every gradient against the plain implementation.
@Suite struct GradientTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let widths: [Int]
    let activations: [Activation]
    var biases: [Bool]?
    var batch = 3
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "two layers", widths: [3, 5, 2], activations: [.tanh, .identity]),
    Case(name: "one layer", widths: [4, 3], activations: [.sigmoid]),
    Case(name: "one linear layer", widths: [4, 3], activations: [.identity]),
    Case(name: "one softmax layer", widths: [4, 3], activations: [.softmax]),
    Case(name: "width one", widths: [1, 1, 1], activations: [.tanh, .sin], batch: 1),
    Case(name: "one output", widths: [3, 4, 1], activations: [.gelu, .tanh], batch: 1),
    Case(
      name: "no biases", widths: [3, 6, 7, 2], activations: [.relu, .silu, .identity],
      biases: [false, true, false], batch: 5),
    Case(name: "softmax last", widths: [4, 6, 5], activations: [.elu(alpha: 1.5), .softmax]),
    Case(name: "log-softmax last", widths: [4, 6, 5], activations: [.selu, .logSoftmax]),
    Case(
      name: "softmax inside", widths: [4, 6, 5, 3],
      activations: [.softmax, .logSoftmax, .softsign]),
    Case(
      name: "identity inside", widths: [4, 6, 5, 3],
      activations: [.identity, .identity, .geluTanh]),
    Case(
      name: "deep", widths: [3, 5, 8, 4, 9, 6, 2],
      activations: [
        .tanh, .sigmoid, .softplus(beta: 1.5, threshold: 20), .leakyReLU(slope: 0.1),
        .hardTanh(minimum: -1, maximum: 1), .identity,
      ], batch: 7),
    Case(
      name: "many samples", widths: [3, 5, 2], activations: [.tanh, .identity], batch: 1501),
  ]

  static let all: [GradientRequest] = [
    GradientRequest(name: "outputs"), GradientRequest(name: "parameter-jacobian"),
    GradientRequest(name: "parameter-jacobian", options: ["layout": .text("matrix")]),
    GradientRequest(name: "parameter-jacobian", options: ["form": .text("factored")]),
    GradientRequest(name: "input-jacobian"), GradientRequest(name: "local-gradients"),
    GradientRequest(name: "loss"), GradientRequest(name: "loss-gradient"),
  ]

  static func check<T: Scalar>(_ test: Case, as type: T.Type, tolerance: Double) throws {
    let problem = Problem<T>.random(
      seed: 7, widths: test.widths, activations: test.activations, biases: test.biases,
      batch: test.batch)
    let plain = PlainNetwork(problem.network)
    let results = try Results(all, on: problem, threads: 2)
    let perSample = try Results(
      [GradientRequest(name: "loss-gradient", options: ["per_sample": .flag(true)])], on: problem)
    let samples = 0..<test.batch
    let x = samples.map { problem.input($0) }
    let t = samples.map { problem.target($0) }
    func expect(_ actual: [T], _ expected: [Double], _ what: String) {
      let error = relativeError(actual, expected)
      #expect(error <= tolerance, "\(what): \(error)")
    }
    expect(results["outputs"], x.flatMap { plain.outputs($0) }, "outputs")
    expect(results["loss"], samples.map { plain.loss(x[$0], t[$0]) }, "loss")
    expect(
      results["input-jacobian"], x.flatMap { plain.localGradient(0, $0).flatMap(\.self) },
      "input-jacobian")
    for k in 1...test.activations.count {
      let delta = x.flatMap { plain.localGradient(k, $0).flatMap(\.self) }
      expect(results["local-gradients/delta\(k)"], delta, "delta\(k)")
      expect(results["parameter-jacobian/delta\(k)"], delta, "factor delta\(k)")
      expect(
        results["parameter-jacobian/a\(k - 1)"], x.flatMap { plain.activations($0)[k - 1] },
        "factor a\(k - 1)")
    }
    let parameters = problem.network.shape.parameters
    var columns = x.map { _ in [[Double]](repeating: [], count: problem.network.shape.outputs) }
    for parameter in parameters {
      let jacobians = x.map { plain.jacobian(parameter, $0) }
      expect(
        results["parameter-jacobian/\(parameter)"], jacobians.flatMap { $0.flatMap(\.self) },
        "\(parameter)")
      for s in samples { for o in columns[s].indices { columns[s][o] += jacobians[s][o] } }
      let gradients = samples.map { plain.lossGradient(parameter, x[$0], t[$0]) }
      expect(
        perSample["loss-gradient/\(parameter)"], gradients.flatMap(\.self),
        "loss-gradient of each sample, \(parameter)")
      let sum = gradients[0].indices.map { i in gradients.reduce(0) { $0 + $1[i] } }
      expect(results["loss-gradient/\(parameter)"], sum, "loss-gradient, \(parameter)")
    }
    expect(
      results["parameter-jacobian"], columns.flatMap { $0.flatMap(\.self) },
      "parameter-jacobian as a matrix")
  }

  // Float64: some rounding steps of 2⁻⁵² through at most six layers; relative to the largest entry.
  @Test(arguments: cases) func `every gradient agrees with the plain formulas in float64`(
    _ test: Case
  ) throws {
    try GradientTests.check(test, as: Double.self, tolerance: 1e-13)
  }

  @Test(arguments: cases) func `every gradient agrees with the plain formulas in float32`(
    _ test: Case
  ) throws {
    try GradientTests.check(test, as: Float.self, tolerance: 2e-5)
  }
}

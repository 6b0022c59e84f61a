import Jacobians
import TestSupport
import Testing

/// The built-in checks pass on right factors and fail on wrong ones.
@Suite struct VerificationTests {
  static let networks: [GradientTests.Case] =
    GradientTests.cases + [
      GradientTests.Case(
        name: "wide", widths: [40, 96, 70], activations: [.relu, .tanh], batch: 300)
    ]

  static func verify<T: Scalar>(_ problem: Problem<T>) throws -> Verification {
    let results = try Results([GradientRequest(name: "outputs")], on: problem, verify: true)
    return try #require(results.report.verification)
  }

  @Test(arguments: networks) func `right factors pass in both number types`(
    _ test: GradientTests.Case
  ) throws {
    for hasTargets in [true, false] {
      let double = Problem<Double>.random(
        seed: 3, widths: test.widths, activations: test.activations, biases: test.biases,
        batch: test.batch, hasTargets: hasTargets)
      let first = try VerificationTests.verify(double)
      #expect(first.passed, "\(first.checks)")
      #expect(first.checks.allSatisfy { $0.samples + $0.excluded == min(4, test.batch) })
      #expect(first.checks.allSatisfy { $0.samples > 0 }, "\(first.checks)")
      let single = Problem<Float>.random(
        seed: 3, widths: test.widths, activations: test.activations, biases: test.biases,
        batch: test.batch, hasTargets: hasTargets)
      let second = try VerificationTests.verify(single)
      #expect(second.passed, "\(second.checks)")
      #expect(second.checks.allSatisfy { $0.samples > 0 }, "\(second.checks)")
    }
  }

  /// Which factor is spoilt, and which of the checks must notice.
  enum Fault: String, CaseIterable, CustomTestStringConvertible {
    case activation, localGradient, inputJacobian, lostRow, notANumber
    var testDescription: String { rawValue }
    var failing: [Int] {
      switch self {
      case .activation, .localGradient, .lostRow: [0, 1]
      case .inputJacobian: [0, 2]
      case .notANumber: [0, 1]
      }
    }
  }

  @Test(arguments: Fault.allCases) func `a wrong factor fails the checks that read it`(
    _ fault: Fault
  ) throws {
    let problem = Problem<Double>.random(
      seed: 5, widths: [3, 6, 4], activations: [.tanh, .softmax], batch: 9)
    var factors = EngineFactors(of: problem, blas: try BLAS.loaded())
    #expect(Verification(of: factors, on: problem).passed)
    switch fault {
    case .activation: factors.activations[1][2] *= 1.0001
    case .localGradient: factors.localGradients[1][5] += 1e-4
    case .inputJacobian: factors.localGradients[0][1] += 1e-4
    case .lostRow: for j in 0..<6 { factors.localGradients[1][6 + j] = 0 }
    case .notANumber: factors.localGradients[2][0] = .nan
    }
    let checks = Verification(of: factors, on: problem).checks
    #expect(checks.indices.filter { !checks[$0].passed } == fault.failing, "\(checks)")
  }

  /// A contraction, its vectors if it takes them.
  static func contractions(_ parameters: Int, outputs: Int, recurrent: Bool) -> [GradientRequest] {
    let loss = GradientRequest.Option.text("softmax-cross-entropy")
    return [
      GradientRequest(name: "jvp", options: ["vectors": .array(shape: [parameters])]),
      GradientRequest(name: "vjp", options: ["vectors": .array(shape: [outputs])]),
      GradientRequest(
        name: "gauss-newton-product",
        options: ["vectors": .array(shape: [parameters]), "loss": loss]),
      GradientRequest(name: "gauss-newton-diagonal", options: ["loss": loss]),
      GradientRequest(name: "gauss-newton", options: ["loss": loss]),
      GradientRequest(name: "neural-tangent-kernel", options: ["form": .text("per-output")]),
      GradientRequest(name: "norms"),
      GradientRequest(
        name: "singular-values",
        options: recurrent ? [:] : ["jacobians": .texts(["parameter-jacobian"])]),
    ]
  }

  static func operands<T: Scalar>(_ parameters: Int, outputs: Int) -> [String: Values<T>] {
    let v = Values((0..<parameters).map { _ in T(1) })
    return [
      "gradients[0].vectors": v, "gradients[1].vectors": Values((0..<outputs).map { _ in T(1) }),
      "gradients[2].vectors": v,
    ]
  }

  @Test func `contractions asked for are compared with rows of the Jacobian`() throws {
    func check<T: Scalar>(_ type: T.Type) throws {
      let base = Problem<T>.random(
        seed: 8, widths: [3, 6, 5], activations: [.tanh, .identity], batch: 7)
      let parameters = base.network.shape.parameterCount
      let problem = Problem(
        network: base.network, inputs: base.inputs, targets: nil, batch: 7,
        operands: Self.operands(parameters, outputs: 5))
      let results = try Results(
        Self.contractions(parameters, outputs: 5, recurrent: false), on: problem, verify: true)
      let checks = try #require(results.report.verification).checks
      #expect(checks.count == 3 + 8)
      #expect(checks.allSatisfy { $0.passed }, "\(checks)")
      #expect(checks.dropFirst(3).allSatisfy { $0.samples == 2 }, "\(checks)")
    }
    try check(Double.self)
    try check(Float.self)
  }

  @Test func `contractions through time are compared with rows of the Jacobian`() throws {
    func check<T: Scalar>(_ type: T.Type) throws {
      let base = RecurrentProblem<T>.random(
        seed: 9, widths: [5, 6, 7], units: 2, activations: [.tanh, .identity], batch: 3, steps: 30,
        lengths: [30, 9, 4], scale: 0.8)
      let parameters = base.network.shape.parameterCount
      let results = try RecurrentResults(
        Self.contractions(parameters, outputs: 5, recurrent: true),
        on: base.with(Self.operands(parameters, outputs: 5)), verify: true)
      let checks = try #require(results.report.verification).checks
      #expect(checks.count == 3 + 8)
      #expect(checks.allSatisfy { $0.passed }, "\(checks)")
      #expect(checks.dropFirst(3).allSatisfy { $0.samples == 2 }, "\(checks)")
    }
    try check(Double.self)
    try check(Float.self)
  }

  @Test(arguments: 0..<8) func `a wrong contraction fails its check`(_ number: Int) throws {
    let network = Problem<Double>.random(
      seed: 12, widths: [2, 3, 4], activations: [.tanh, .identity], batch: 2
    ).network.shape
    let columns = network.parameterCount
    let check = try #require(
      ContractionCheck(
        Self.contractions(columns, outputs: 4, recurrent: false)[number], of: network,
        outputs: [0, 1, 2, 3], units: [2]))
    let problem = Problem<Double>.random(
      seed: 12, widths: [2, 3, 4], activations: [.tanh, .identity], batch: 2)
    let results = try Results(
      [check.request],
      on: Problem(
        network: problem.network, inputs: problem.inputs, targets: nil, batch: 2,
        operands: check.operands(Double.self)))
    let j = DenseJacobian(problem, parameters: network.parameters, outputs: [0, 1, 2, 3])
    var arrays = results.paths.map { results[$0] }
    #expect((check.error(of: arrays, rows: j.rows, logits: j.outputs) ?? 1) < 1e-12)
    arrays[0][1] += 1e-4
    #expect((check.error(of: arrays, rows: j.rows, logits: j.outputs) ?? 1) > 1e-6)
    arrays[0][1] = .nan
    #expect(check.error(of: arrays, rows: j.rows, logits: j.outputs) == .infinity)
  }

  @Test func `inputs exactly at a kink are excluded from differences and said to be`() throws {
    let shape = NetworkShape(layers: [
      LayerShape(inputs: 2, outputs: 2, hasBiases: false, activation: .relu)
    ])
    let problem = Problem<Double>(
      network: Network(shape: shape, weights: [Values([1, 0, 0, 1])], biases: [nil]),
      inputs: Values([0, 0, 1, 2]), targets: nil, batch: 2)
    let checks = try VerificationTests.verify(problem).checks
    #expect(checks.map(\.samples) == [2, 2, 1])
    #expect(checks.map(\.excluded) == [0, 0, 1])
    #expect(checks.allSatisfy { $0.passed })
  }

  @Test func `samples that are not finite are excluded`() throws {
    let problem = Problem<Double>.random(
      seed: 5, widths: [2, 3], activations: [.tanh], batch: 3)
    let inputs = Values<Double>([0.5, .nan, 1, 2, .infinity, 1])
    let spoilt = Problem(
      network: problem.network, inputs: inputs, targets: problem.targets, batch: 3)
    let checks = try VerificationTests.verify(spoilt).checks
    #expect(checks.allSatisfy { $0.passed && $0.samples == 1 && $0.excluded == 2 }, "\(checks)")
  }
}

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

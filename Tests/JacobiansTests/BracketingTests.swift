import Jacobians
import TestSupport
import Testing

/// ∂y/∂x by the cheapest bracketing of its chain, against the plain formulas.
@Suite struct BracketingTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let widths: [Int]
    let activations: [Activation]
    var outputs: [Int]?
    let order: String
    var testDescription: String { name }
  }

  // Few inputs: from the right. A bottleneck: both sides of it first. Few outputs: from the left, as the sweep.
  private static let cases: [Case] = [
    Case(
      name: "few inputs", widths: [2, 20, 20, 15], activations: [.tanh, .gelu, .sigmoid],
      order: "F3 (F2 F1)"),
    Case(
      name: "a bottleneck", widths: [24, 20, 2, 20, 24],
      activations: [.tanh, .sin, .identity, .tanh], order: "F4 F3 (F2 F1)"),
    Case(
      name: "a softmax at the bottleneck", widths: [24, 20, 2, 20, 24],
      activations: [.logSoftmax, .softmax, .silu, .softmax], order: "F4 F3 (F2 F1)"),
    Case(
      name: "some outputs in another order", widths: [1, 9, 9, 9, 12],
      activations: [.softmax, .tanh, .logSoftmax, .softmax], outputs: [11, 0, 5, 7, 8, 9, 1, 2],
      order: "F4 (F3 (F2 F1))"),
    Case(
      name: "all outputs in another order", widths: [2, 20, 20, 4],
      activations: [.tanh, .gelu, .sigmoid], outputs: [2, 0, 3, 1], order: "F3 (F2 F1)"),
  ]

  @Test(arguments: cases) func `another order gives the same numbers`(_ test: Case) throws {
    let problem = Problem<Double>.random(
      seed: 21, widths: test.widths, activations: test.activations, batch: 19, scale: 1)
    let plain = PlainNetwork(problem.network)
    let options = test.outputs.map {
      ["outputs": GradientRequest.Option.integers($0)]
    }
    let request = GradientRequest(name: "input-jacobian", options: options ?? [:])
    let results = try Results([request], on: problem, threads: 2, blockSamples: 7)
    let bracketing = try #require(results.plan.bracketing)
    #expect(bracketing.isTaken && bracketing.text == test.order)
    #expect(bracketing.operations < 0.75 * bracketing.sweepOperations)
    let chosen = test.outputs ?? Array(0..<problem.network.shape.outputs)
    let expected = (0..<problem.batch).flatMap { sample -> [Double] in
      let whole = plain.localGradient(0, problem.input(sample))
      return chosen.flatMap { whole[$0] }
    }
    #expect(relativeError(results["input-jacobian"], expected) < 1e-12)
    // The same bytes for any number of threads.
    let one = try Results([request], on: problem, blockSamples: 7)
    #expect(one["input-jacobian"] == results["input-jacobian"])
  }

  @Test
  func `few outputs are swept from the outputs, and so are those whose local gradients are needed`()
    throws
  {
    func bracketing(_ widths: [Int], _ names: [String]) throws -> Bracketing {
      let layers = (1..<widths.count).map {
        LayerShape(
          inputs: widths[$0 - 1], outputs: widths[$0], hasBiases: true, activation: .tanh)
      }
      let plan = try Planner.plan(
        network: NetworkShape(layers: layers), batch: 5, dtype: .float64,
        requests: names.map { GradientRequest(name: $0) }, hasTargets: false, verify: false)
      return try #require(plan.bracketing)
    }
    let few = try bracketing([784, 512, 512, 10], ["input-jacobian"])
    #expect(!few.isTaken && few.text == "F3 F2 F1" && few.operations == few.sweepOperations)
    #expect(try bracketing([2, 20, 20, 15], ["input-jacobian"]).isTaken)
    #expect(try !bracketing([2, 20, 20, 15], ["parameter-jacobian", "input-jacobian"]).isTaken)
  }
}

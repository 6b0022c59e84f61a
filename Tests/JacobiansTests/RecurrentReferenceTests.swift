import Formats
import Foundation
import Jacobians
import TestSupport
import Testing

/// The reference cases that another program computed, by every strategy and every block length.
@Suite struct RecurrentReferenceTests {
  static let cases = [
    "recurrent-single-layer", "recurrent-two-layer", "recurrent-initial-state",
    "recurrent-one-step", "recurrent-long",
  ]

  private struct Document: Decodable {
    struct Layer: Decodable {
      let weights: [[Double]]
      let biases: [Double]?
      let activation: String
    }
    struct Net: Decodable {
      let recurrentUnits: Int
      let layers: [Layer]
      let initialState: [[Double]]?
    }
    let network: Net
    let inputs: [[[Double]]]
    let targets: [[[Double]]]
  }

  private static func folder(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
      + "/Fixtures/reference/\(name)"
  }

  private static func problem(_ name: String) throws -> RecurrentProblem<Double> {
    let data = try Data(contentsOf: URL(filePath: folder(name) + "/job.json"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let document = try decoder.decode(Document.self, from: data)
    let layers = document.network.layers
    let shape = NetworkShape(
      layers: try layers.map { layer in
        LayerShape(
          inputs: layer.weights[0].count, outputs: layer.weights.count,
          hasBiases: layer.biases != nil,
          activation: try #require(Activation(named: layer.activation)))
      })
    return RecurrentProblem(
      network: Network(
        shape: shape, weights: layers.map { Values($0.weights.flatMap(\.self)) },
        biases: layers.map { $0.biases.map { Values($0) } }),
      recurrence: Recurrence(units: document.network.recurrentUnits),
      shape: SequenceShape(batch: document.inputs.count, steps: document.inputs[0].count),
      inputs: Values(document.inputs.flatMap { $0.flatMap(\.self) }),
      initialState: document.network.initialState.map { Values($0.flatMap(\.self)) },
      targets: Values(document.targets.flatMap { $0.flatMap(\.self) }))
  }

  // Two programs in float64: rounding through at most 120 steps.
  @Test(arguments: cases) func `every strategy and block length gives what another program gives`(
    _ name: String
  ) throws {
    let problem = try RecurrentReferenceTests.problem(name)
    let expected = try NPZFile(examining: RecurrentReferenceTests.folder(name) + "/expected.npz")
    var numbers: [String: [Double]] = [:]
    for path in expected.names {
      numbers[path] = try expected.array(named: path).values(Double.self).array
    }
    var ways: [(RecurrentStrategy?, Int?)] = [(nil, nil), (.forward, nil), (.adjoint, nil)]
    ways += (1...problem.shape.steps).map { (.blocked, $0) }
    for (strategy, blockSteps) in ways {
      let results = try RecurrentResults(
        [
          GradientRequest(name: "outputs"), GradientRequest(name: "parameter-jacobian"),
          GradientRequest(name: "input-jacobian"), GradientRequest(name: "loss"),
          GradientRequest(name: "loss-gradient"), GradientRequest(name: "state-jacobian"),
        ], on: problem, strategy: strategy, blockSteps: blockSteps)
      #expect(Set(results.paths) == Set(expected.names))
      for (path, numbers) in numbers {
        let error = relativeError(results[path], numbers)
        #expect(
          error <= 1e-11,
          "\(path) by \(strategy?.rawValue ?? "choice") \(blockSteps ?? 0): \(error)")
      }
    }
  }
}

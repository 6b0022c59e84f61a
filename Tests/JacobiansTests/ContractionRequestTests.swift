import Jacobians
import Testing

/// What is said of requests for contractions that cannot be.
@Suite struct ContractionRequestTests {
  private static let network = NetworkShape(layers: [
    LayerShape(inputs: 2, outputs: 3, hasBiases: true, activation: .tanh),
    LayerShape(inputs: 3, outputs: 2, hasBiases: false, activation: .softmax),
  ])

  private static let bad: [(String, [String: GradientRequest.Option], String)] = [
    (
      "jvp", [:],
      "gradients[0].vectors: jvp takes vectors, and there are none; give an array (15) or (K, 15), or an object "
        + "with one for each parameter, as {\"W1\": …}"
    ),
    (
      "jvp", ["vectors": .text("all")],
      "gradients[0].vectors: jvp takes vectors, and this is no array; give an array (15) or (K, 15), or an object "
        + "with one for each parameter, as {\"W1\": …}"
    ),
    (
      "jvp", ["vectors": .array(shape: [2, 3, 15])],
      "gradients[0].vectors: the shape (2, 3, 15) is neither (15) nor (K, 15); a vector has the 15 numbers of the "
        + "parameters asked for, in their order"
    ),
    (
      "gauss-newton-product",
      ["vectors": .array(shape: [15]), "parameters": .texts(["W2", "b1"])],
      "gradients[0].vectors: the shape (15) is neither (9) nor (K, 9); a vector has the 9 numbers of the parameters "
        + "asked for, in their order"
    ),
    (
      "jvp", ["vectors": .parameterArrays(["b2": [2]])],
      "gradients[0].vectors.b2: \"b2\" is none of the parameters asked for; allowed: W1, b1, W2"
    ),
    (
      "jvp", ["vectors": .parameterArrays(["W1": [2, 3]])],
      "gradients[0].vectors.W1: the shape (2, 3) is neither (3, 2), that of W1, nor (K, 3, 2)"
    ),
    (
      "jvp", ["vectors": .parameterArrays(["W1": [4, 3, 2], "b1": [3]])],
      "gradients[0].vectors.b1: the shape (3) is of one vector without an axis, and W1 has 4 vectors; give as many "
        + "for each parameter"
    ),
    (
      "vjp", ["vectors": .array(shape: [5, 3])],
      "gradients[0].vectors: the shape (5, 3) does not fit 2 outputs of 5 samples; allowed: (2) for all samples, "
        + "(5, 2), or (5, K, 2)"
    ),
    (
      "vjp", ["vectors": .array(shape: [5, 2]), "outputs": .integers([1])],
      "gradients[0].vectors: the shape (5, 2) does not fit 1 output of 5 samples; allowed: (1) for all samples, "
        + "(5, 1), or (5, K, 1)"
    ),
    (
      "gauss-newton", ["loss": .text("hinge")],
      "gradients[0].loss: no loss \"hinge\"; allowed: \"squared-error\", \"softmax-cross-entropy\""
    ),
    (
      "gauss-newton-diagonal", ["loss": .text("softmax-cross-entropy")],
      "gradients[0].loss: softmax-cross-entropy takes logits, and the last layer is a softmax already; give "
        + "network.layers[1] the activation \"identity\" or \"log-softmax\""
    ),
    (
      "neural-tangent-kernel", ["other_inputs": .array(shape: [4, 3])],
      "gradients[0].other_inputs: the shape (4, 3) is not (B, 2) or (2): 2 is what the first layer takes"
    ),
    (
      "neural-tangent-kernel", ["form": .text("diagonal")],
      "gradients[0].form: no form \"diagonal\"; allowed: \"full\", \"per-output\""
    ),
    (
      "singular-values", ["jacobians": .texts(["loss"])],
      "gradients[0].jacobians[0]: no Jacobian \"loss\"; allowed: a list of \"parameter-jacobian\", \"input-jacobian\""
    ),
    (
      "singular-values",
      ["jacobians": .texts(["input-jacobian"]), "parameters": .texts(["W1"])],
      "gradients[0].parameters: ∂y/∂x does not depend on parameters chosen; leave parameters out, or add "
        + "\"parameter-jacobian\" to jacobians"
    ),
    (
      "norms", ["loss": .text("squared-error")],
      "gradients[0].loss: norms has no option \"loss\"; allowed: parameters, outputs"
    ),
  ]

  @Test(arguments: bad) func `a request that cannot be is told with its place and a remedy`(
    name: String, options: [String: GradientRequest.Option], message: String
  ) throws {
    let error = #expect(throws: PlanError.self) {
      try Planner.plan(
        network: Self.network, batch: 5, dtype: .float64,
        requests: [GradientRequest(name: name, options: options)], hasTargets: false, verify: false)
    }
    #expect(error?.description == message)
  }

  private static let badThroughTime: [(String, [String: GradientRequest.Option], String)] = [
    (
      "jvp", [:],
      "gradients[0].vectors: jvp takes vectors, and there are none; give an array (12) or (K, 12), or an object "
        + "with one for each parameter, as {\"W1\": …}"
    ),
    (
      "vjp", [:],
      "gradients[0].vectors: vjp takes vectors, and there are none; allowed: (2) for every step, (4, 2) for all "
        + "sequences, (5, 4, 2), or (5, K, 4, 2)"
    ),
    (
      "vjp",
      ["vectors": .array(shape: [5, 2]), "outputs": .integers([1]), "steps": .text("last")],
      "gradients[0].vectors: the shape (5, 2) does not fit 1 output at the steps asked for of 5 sequences; allowed: "
        + "(1) for all sequences, (5, 1), or (5, K, 1)"
    ),
    (
      "vjp", ["vectors": .array(shape: [5, 0, 4, 2])],
      "gradients[0].vectors: the shape (5, 0, 4, 2) does not fit 2 outputs at the steps asked for of 5 sequences; "
        + "allowed: (2) for every step, (4, 2) for all sequences, (5, 4, 2), or (5, K, 4, 2)"
    ),
    (
      "gauss-newton-product",
      ["vectors": .array(shape: [12]), "loss": .text("softmax-cross-entropy")],
      "gradients[0].loss: softmax-cross-entropy takes logits, and the last layer is a softmax already; give "
        + "network.layers[0] the activation \"identity\" or \"log-softmax\""
    ),
    (
      "singular-values", ["jacobians": .texts(["input-jacobian"])],
      "gradients[0].jacobians: through time there are singular values of ∂y(n)/∂w only: ∂y(n)/∂x has columns for every "
        + "earlier step; allowed: [\"parameter-jacobian\"], or leave it out"
    ),
    (
      "jvp", ["time": .flag(true)],
      "gradients[0].time: jvp has no option \"time\"; allowed: vectors, parameters, outputs, steps"
    ),
  ]

  @Test(arguments: badThroughTime)
  func `bad requests of a recurrent job are refused with place, reason and remedy`(
    name: String, options: [String: GradientRequest.Option], message: String
  ) throws {
    let network = NetworkShape(layers: [
      LayerShape(inputs: 3, outputs: 3, hasBiases: true, activation: .softmax)
    ])
    let error = #expect(throws: PlanError.self) {
      try Planner.plan(
        recurrent: network, recurrence: Recurrence(units: 1),
        shape: SequenceShape(batch: 5, steps: 4), dtype: .float64,
        requests: [GradientRequest(name: name, options: options)], hasTargets: false,
        hasInitialState: false, verify: false)
    }
    #expect(error?.description == message)
  }

  @Test func `vectors and other inputs are in the plan's memory`() throws {
    func memory(_ request: GradientRequest) throws -> Int {
      try Planner.plan(
        network: Self.network, batch: 5, dtype: .float32, requests: [request], hasTargets: false,
        verify: false
      ).problemBytes
    }
    let one = try memory(
      GradientRequest(name: "jvp", options: ["vectors": .array(shape: [15])]))
    let many = try memory(
      GradientRequest(name: "jvp", options: ["vectors": .array(shape: [11, 15])]))
    #expect(many - one == 10 * 15 * 4)
  }

  @Test func `a Gauss-Newton matrix too large to count is told before memory is asked for`() throws
  {
    let wide = NetworkShape(layers: [
      LayerShape(inputs: 60_000, outputs: 60_000, hasBiases: true, activation: .tanh)
    ])
    let error = #expect(throws: PlanError.self) {
      try Planner.plan(
        network: wide, batch: 5, dtype: .float64, requests: [GradientRequest(name: "gauss-newton")],
        hasTargets: false, verify: false)
    }
    #expect(error?.remedy == "ask for fewer parameters, or for gauss-newton-product")
  }
}

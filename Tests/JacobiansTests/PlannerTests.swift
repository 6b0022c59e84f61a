import Jacobians
import TestSupport
import Testing

/// What the planner refuses, in whole messages, and what it decides from shapes.
@Suite struct PlannerTests {
  typealias Options = [String: GradientRequest.Option]

  static let shape = NetworkShape(layers: [
    LayerShape(inputs: 4, outputs: 3, hasBiases: true, activation: .tanh),
    LayerShape(inputs: 3, outputs: 2, hasBiases: false, activation: .identity),
  ])

  struct Refusal: CustomTestStringConvertible, Sendable {
    let requests: [GradientRequest]
    let message: String
    var hasTargets = true

    init(_ name: String, _ options: Options = [:], hasTargets: Bool = true, _ message: String) {
      requests = [GradientRequest(name: "outputs"), GradientRequest(name: name, options: options)]
      self.message = message
      self.hasTargets = hasTargets
    }

    init(_ requests: [GradientRequest], _ message: String) {
      self.requests = requests
      self.message = message
    }
    var testDescription: String { message }
  }

  static let refusals: [Refusal] = [
    Refusal(
      [],
      "gradients: no gradient is asked for; allowed: outputs, parameter-jacobian, input-jacobian, "
        + "local-gradients, loss, loss-gradient, jvp, vjp, gauss-newton-diagonal, "
        + "gauss-newton-product, gauss-newton, neural-tangent-kernel, norms, singular-values"),
    Refusal(
      "jacobian", [:],
      "gradients[1]: no gradient \"jacobian\"; allowed: outputs, parameter-jacobian, "
        + "input-jacobian, local-gradients, loss, loss-gradient, jvp, vjp, gauss-newton-diagonal, "
        + "gauss-newton-product, gauss-newton, neural-tangent-kernel, norms, singular-values"),
    Refusal(
      "parameter-jacobian", ["from": .text("dense")],
      "gradients[1].from: parameter-jacobian has no option \"from\"; "
        + "allowed: form, layout, parameters, outputs"),
    Refusal(
      "loss", ["outputs": .integers([0])],
      "gradients[1].outputs: loss has no option \"outputs\"; it takes none"),
    Refusal(
      "parameter-jacobian", ["form": .text("sparse")],
      "gradients[1].form: no form \"sparse\"; allowed: \"dense\", \"factored\""),
    Refusal(
      "parameter-jacobian", ["form": .flag(true)],
      "gradients[1].form: form is one word; allowed: \"dense\", \"factored\""),
    Refusal(
      "parameter-jacobian", ["layout": .text("rows")],
      "gradients[1].layout: no layout \"rows\"; allowed: \"per-parameter\", \"matrix\""),
    Refusal(
      "parameter-jacobian", ["form": .text("factored"), "layout": .text("matrix")],
      "gradients[1].layout: factors have no layout \"matrix\"; "
        + "leave out layout, or ask for form \"dense\""),
    Refusal(
      "parameter-jacobian", ["parameters": .texts(["W1", "b2"])],
      "gradients[1].parameters[1]: the network has no parameter \"b2\"; allowed: W1, b1, W2"),
    Refusal(
      "parameter-jacobian", ["parameters": .texts(["W1", "W1"])],
      "gradients[1].parameters[1]: \"W1\" is asked for twice; ask for each parameter once"),
    Refusal(
      "loss-gradient", ["parameters": .texts([])],
      "gradients[1].parameters: no parameter is asked for; allowed: W1, b1, W2"),
    Refusal(
      "loss-gradient", ["parameters": .text("W1")],
      "gradients[1].parameters: parameters is a list of names; allowed: W1, b1, W2"),
    Refusal(
      "input-jacobian", ["outputs": .integers([0, 2])],
      "gradients[1].outputs[1]: the network has no output 2; allowed: 0 to 1, each once"),
    Refusal(
      "input-jacobian", ["outputs": .integers([-1])],
      "gradients[1].outputs[0]: the network has no output -1; allowed: 0 to 1, each once"),
    Refusal(
      "input-jacobian", ["outputs": .integers([1, 1])],
      "gradients[1].outputs[1]: output 1 is asked for twice; allowed: 0 to 1, each once"),
    Refusal(
      "local-gradients", ["outputs": .integers([])],
      "gradients[1].outputs: no output is asked for; allowed: 0 to 1, each once"),
    Refusal(
      "local-gradients", ["outputs": .integer(1)],
      "gradients[1].outputs: outputs is a list of whole numbers; allowed: 0 to 1, each once"),
    Refusal(
      "loss-gradient", ["per_sample": .text("yes")],
      "gradients[1].per_sample: per_sample is a truth value; allowed: true, false"),
    Refusal(
      "loss", hasTargets: false,
      "gradients[1]: loss compares with targets, and the job has none; "
        + "give \"targets\", one row of 2 for each sample"),
    Refusal(
      "loss-gradient", hasTargets: false,
      "gradients[1]: loss-gradient compares with targets, and the job has none; "
        + "give \"targets\", one row of 2 for each sample"),
    Refusal(
      "outputs", [:],
      "gradients[1]: gives outputs, which gradients[0] gives already; ask for each array once"),
    Refusal(
      [
        GradientRequest(name: "loss-gradient", options: ["parameters": .texts(["W1"])]),
        GradientRequest(
          name: "loss-gradient",
          options: ["parameters": .texts(["W2", "W1"]), "per_sample": .flag(true)]),
      ],
      "gradients[1]: gives loss-gradient/W1, which gradients[0] gives already; "
        + "ask for each array once"),
  ]

  @Test(arguments: refusals) func `a request is refused with place, reason and remedy`(
    _ refusal: Refusal
  ) {
    let error = #expect(throws: PlanError.self) {
      try Planner.plan(
        network: PlannerTests.shape, batch: 5, dtype: .float64, requests: refusal.requests,
        hasTargets: refusal.hasTargets, verify: false)
    }
    #expect(error?.description == refusal.message)
  }

  struct Size: CustomTestStringConvertible, Sendable {
    let widths: [Int]
    let batch: Int
    let message: String
    var activation = Activation.identity
    var gradient = "parameter-jacobian"
    var testDescription: String { message }
  }

  static let sizes: [Size] = [
    Size(
      widths: [0, 3], batch: 1,
      message: "network.layers[0]: weights of shape (3, 0); "
        + "a layer has at least one input and one output"),
    Size(
      widths: [3, 1 << 40], batch: 1,
      message: "network.layers[0]: weights of shape (1099511627776, 3); "
        + "a layer has at most 2147483647 inputs and outputs"),
    Size(
      widths: [3, 2], batch: -1, message: "inputs: -1 samples; a batch has no fewer than 0"),
    Size(
      widths: [1 << 30, 1 << 30], batch: 1,
      message: "network: parameters, inputs and targets would not fit 63 bits of bytes; "
        + "no such arrays can exist; look for a wrong shape"),
    Size(
      widths: [3, 2], batch: .max,
      message: "network: parameters, inputs and targets would not fit 63 bits of bytes; "
        + "no such arrays can exist; look for a wrong shape"),
    Size(
      widths: [1 << 20, 1 << 20], batch: 1 << 10,
      message: "gradients[0]: parameter-jacobian/W1 of shape (1024, 1048576, 1048576, 1048576) "
        + "makes the results larger than 2^56 bytes; "
        + "ask for fewer samples, outputs or parameters, or for form \"factored\""),
    Size(
      widths: [1, 1 << 26, 1 << 26], batch: 1,
      message: "network: memory to compute one sample is more than 2^56 bytes; "
        + "ask for fewer outputs", activation: .softmax, gradient: "input-jacobian"),
    Size(
      widths: [3, 2], batch: 1,
      message: "network.layers[0].activation: softplus with beta = 0; beta is not 0",
      activation: .softplus(beta: 0, threshold: 20)),
    Size(
      widths: [3, 2], batch: 1,
      message: "network.layers[0].activation: elu with alpha = nan; alpha is a finite number",
      activation: .elu(alpha: .nan)),
    Size(
      widths: [3, 2], batch: 1,
      message: "network.layers[0].activation: hard-tanh with minimum = 1.0, maximum = 1.0; "
        + "minimum is less than maximum", activation: .hardTanh(minimum: 1, maximum: 1)),
  ]

  @Test(arguments: sizes) func `a shape that cannot be is refused before anything is allocated`(
    _ size: Size
  ) {
    let layers = zip(size.widths, size.widths.dropFirst()).map {
      LayerShape(inputs: $0, outputs: $1, hasBiases: true, activation: size.activation)
    }
    let error = #expect(throws: PlanError.self) {
      try Planner.plan(
        network: NetworkShape(layers: layers), batch: size.batch, dtype: .float64,
        requests: [GradientRequest(name: size.gradient)], hasTargets: true, verify: true)
    }
    #expect(error?.description == size.message)
  }

  static func plan(
    _ widths: [Int], batch: Int, _ gradient: String = "parameter-jacobian", _ options: Options = [:]
  ) throws -> Plan {
    let layers = zip(widths, widths.dropFirst()).map {
      LayerShape(inputs: $0, outputs: $1, hasBiases: true, activation: .tanh)
    }
    return try Planner.plan(
      network: NetworkShape(layers: layers), batch: batch, dtype: .float64,
      requests: [GradientRequest(name: gradient, options: options)], hasTargets: true,
      verify: false)
  }

  @Test(arguments: [1, 256, 10_000, 10_000_000])
  func `the policy network takes well under 100 MiB of scratch at any batch`(
    _ batch: Int
  ) throws {
    for gradient in ["parameter-jacobian", "input-jacobian", "local-gradients", "loss-gradient"] {
      let plan = try PlannerTests.plan([64, 256, 256, 8], batch: batch, gradient)
      #expect(plan.peakMemory(threads: 2) - plan.problemBytes < 40 << 20)
    }
  }

  @Test func `blocks are large enough for products and many enough for threads`() throws {
    #expect(try PlannerTests.plan([64, 256, 256, 8], batch: 256).blockSamples == 16)
    #expect(try PlannerTests.plan([64, 256, 256, 8], batch: 10_000).blockSamples == 64)
    #expect(try PlannerTests.plan([4, 16, 2], batch: 1).blockSamples == 1)
    #expect(try PlannerTests.plan([4, 16, 2], batch: 0).blockCount == 0)
    #expect(try PlannerTests.plan([3, 5, 1], batch: 100, "outputs").blockSamples == 64)
    #expect(try PlannerTests.plan([4, 6000, 3000], batch: 3).blockSamples == 1)
  }

  @Test func `arrays carry the names, shapes and axes of the document`() throws {
    let requests = [
      GradientRequest(name: "outputs"), GradientRequest(name: "parameter-jacobian"),
      GradientRequest(name: "parameter-jacobian", options: ["form": .text("factored")]),
      GradientRequest(name: "parameter-jacobian", options: ["layout": .text("matrix")]),
      GradientRequest(name: "input-jacobian"), GradientRequest(name: "local-gradients"),
      GradientRequest(name: "loss"),
      GradientRequest(name: "loss-gradient", options: ["parameters": .texts(["W2"])]),
      GradientRequest(
        name: "loss-gradient",
        options: ["parameters": .texts(["b1"]), "per_sample": .flag(true)]),
    ]
    let plan = try Planner.plan(
      network: PlannerTests.shape, batch: 5, dtype: .float32, requests: requests,
      hasTargets: true, verify: false)
    let described = plan.arrays.map { array in
      "\(array.gradient) \(array.path) \(array.shape) \(array.axes.joined(separator: ", "))"
        + (array.columns.isEmpty ? "" : " \(array.columns)")
    }
    #expect(
      described == [
        "outputs outputs [5, 2] batch, outputs",
        "parameter-jacobian parameter-jacobian/W1 [5, 2, 3, 4] batch, outputs, rows of W1, "
          + "columns of W1",
        "parameter-jacobian parameter-jacobian/b1 [5, 2, 3] batch, outputs, entries of b1",
        "parameter-jacobian parameter-jacobian/W2 [5, 2, 2, 3] batch, outputs, rows of W2, "
          + "columns of W2",
        "parameter-jacobian parameter-jacobian/delta1 [5, 2, 3] batch, outputs, units of layer 1",
        "parameter-jacobian parameter-jacobian/a0 [5, 4] batch, inputs",
        "parameter-jacobian parameter-jacobian/delta2 [5, 2, 2] batch, outputs, units of layer 2",
        "parameter-jacobian parameter-jacobian/a1 [5, 3] batch, units of layer 1",
        "parameter-jacobian parameter-jacobian [5, 2, 21] batch, outputs, parameters [W1, b1, W2]",
        "input-jacobian input-jacobian [5, 2, 4] batch, outputs, inputs",
        "local-gradients local-gradients/delta1 [5, 2, 3] batch, outputs, units of layer 1",
        "local-gradients local-gradients/delta2 [5, 2, 2] batch, outputs, units of layer 2",
        "loss loss [5] batch",
        "loss-gradient loss-gradient/W2 [2, 3] rows of W2, columns of W2",
        "loss-gradient loss-gradient/b1 [5, 3] batch, entries of b1",
      ])
    #expect(plan.resultBytes == 4 * plan.arrays.reduce(0) { $0 + $1.count })
    #expect(plan.problemBytes == 4 * (21 + 5 * 4 + 5 * 2))
  }
}

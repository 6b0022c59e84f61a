/// `parameter-jacobian`: ∂y(n)/∂w with all that r(n−1), r(n−2), … owe to w, (B, T, |y|, n_k, n_{k−1}).
///
/// Factored it is G_k(n, m) = ∂y(n)/∂v_k(m), zero for m > n, and a_{k−1}(m):
/// ∂y_o(n)/∂W_k[j, i] = Σ_m G_k[n, o, m, j] a_{k−1}[m, i], ∂y_o(n)/∂b_k[j] = Σ_m G_k[n, o, m, j].
struct RecurrentParameterJacobian: SweptGradient {
  static let name = "parameter-jacobian"
  static let options = ["form", "layout", "parameters", "outputs", "steps"]
  let outputs: OutputSubset
  let selection: StepSelection
  private let columns: ParameterColumns

  init(reading request: RecurrentOptions) throws(PlanError) {
    selection = try request.steps()
    outputs = try request.outputs(of: request.outerOutputs)
    columns = try ParameterColumns(reading: request)
  }

  var form: SweptForm { columns.form }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    columns.arrays(
      of: Self.name, shape, outputs: outputs, outputAxis: "outputs", selection: selection)
  }
}

/// `state-jacobian`: ∂z(n)/∂w whole, z = (y, r), (B, T, |z|, n_k, n_{k−1}); forms and layouts as `parameter-jacobian`.
struct StateJacobian: SweptGradient {
  static let name = "state-jacobian"
  static let options = RecurrentParameterJacobian.options
  let outputs: OutputSubset
  let selection: StepSelection
  private let columns: ParameterColumns

  init(reading request: RecurrentOptions) throws(PlanError) {
    selection = try request.steps()
    outputs = try request.outputs(of: request.network.outputs)
    columns = try ParameterColumns(reading: request)
  }

  var form: SweptForm { columns.form }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    columns.arrays(
      of: Self.name, shape, outputs: outputs, outputAxis: "outputs and states",
      selection: selection)
  }
}

/// The options and arrays that both Jacobians with respect to parameters have.
struct ParameterColumns: Sendable {
  private let isFactored: Bool
  private let isMatrix: Bool
  private let parameters: [Parameter]
  private let network: NetworkShape

  init(reading request: RecurrentOptions) throws(PlanError) {
    let options = request.base
    isFactored =
      try options.choice("form", ParameterJacobian.Form.self, default: .dense) == .factored
    isMatrix =
      try options.choice("layout", ParameterJacobian.Layout.self, default: .perParameter) == .matrix
    parameters = try options.parameters()
    network = request.network
    if isFactored && isMatrix {
      throw PlanError(
        place: "\(options.place).layout", reason: "factors have no layout \"matrix\"",
        remedy: "leave out layout, or ask for form \"dense\"")
    }
  }

  var form: SweptForm {
    isFactored
      ? .pairs(sources.map(\.source)) : .columns(parameters, isMatrix: isMatrix)
  }

  /// The factors in order: G_k, then a_{k−1} where W_k is asked for.
  private var sources: [(source: PairSource, path: String)] {
    var sources: [(source: PairSource, path: String)] = []
    for k in 1...network.layers.count {
      let hasWeights = parameters.contains(Parameter(kind: .weights, layer: k))
      guard hasWeights || parameters.contains(Parameter(kind: .biases, layer: k)) else { continue }
      sources.append((.localGradients(layer: k), "delta\(k)"))
      if hasWeights { sources.append((.activations(layer: k - 1), "a\(k - 1)")) }
    }
    return sources
  }

  func arrays(
    of gradient: String, _ shape: SequenceShape, outputs: OutputSubset, outputAxis: String,
    selection: StepSelection
  ) -> [ResultArray] {
    let rows = [shape.batch] + selection.axis(of: shape.steps) + [outputs.count]
    let axes = ["batch"] + selection.axisName + [outputAxis]
    if isFactored {
      return sources.map { source, path in
        switch source {
        case .activations(let k):
          ResultArray(
            gradient: gradient, path: "\(gradient)/\(path)",
            shape: [shape.batch, shape.steps, network.width(k)],
            axes: ["batch", "steps", k == 0 ? "inputs and states" : "units of layer \(k)"])
        case .localGradients(let k):
          ResultArray(
            gradient: gradient, path: "\(gradient)/\(path)",
            shape: rows + [shape.steps, network.width(k)],
            axes: axes + ["steps of v", "units of layer \(k)"])
        case .inputs: preconditionFailure("inputs are no factor of a parameter's gradient")
        }
      }
    }
    if isMatrix {
      return [
        ResultArray(
          gradient: gradient, path: gradient,
          shape: rows + [parameters.reduce(0) { $0 + network.count(of: $1) }],
          axes: axes + ["parameters"], columns: parameters)
      ]
    }
    return parameters.map { parameter in
      ResultArray(
        gradient: gradient, path: "\(gradient)/\(parameter)",
        shape: rows + network.shape(of: parameter), axes: axes + parameter.axes)
    }
  }
}

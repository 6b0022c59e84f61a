/// `local-gradients`: ∂z(n)/∂v_k(n) for every step and layer, (B, T, |z|, n_k): what f itself does, without the past.
struct RecurrentLocalGradients: StepGradient {
  static let name = "local-gradients"
  static let options = ["outputs", "steps"]
  private let selection: StepSelection
  private let outputs: OutputSubset
  private let network: NetworkShape

  init(reading request: RecurrentOptions) throws(PlanError) {
    selection = try request.steps()
    outputs = try request.outputs(of: request.network.outputs)
    network = request.network
  }

  var stepAxis: StepSelection? { selection }

  var needs: StepNeeds {
    var needs = StepNeeds()
    needs.outputs = outputs
    needs.layers = Set(1...network.layers.count)
    return needs
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    (1...network.layers.count).map { k in
      ResultArray(
        gradient: Self.name, path: "local-gradients/delta\(k)",
        shape: [shape.batch] + selection.axis(of: shape.steps) + [outputs.count, network.width(k)],
        axes: ["batch"] + selection.axisName + ["outputs and states", "units of layer \(k)"])
    }
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func write<T: Scalar>(_ block: StepBlock<T>, to writer: ResultWriter) throws {
    let pulled = block.layout.outputs
    for k in 1...network.layers.count {
      let width = network.width(k)
      try block.write(
        selection, rowsPerStep: outputs.count, width: width, array: k - 1, writer: writer,
        from: block.localGradients(k)
      ) { step, row in (step * pulled.count + (pulled.row(of: outputs[row]) ?? 0)) * width }
    }
  }
}

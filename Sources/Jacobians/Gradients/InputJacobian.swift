/// `input-jacobian`: J[b, o, i] = ∂y_o(x_b)/∂x_i = (δ_1 W_1)[o, i], (B, outputs, n_0).
///
/// By the sweep of stage 2, or by a cheaper bracketing of the chain ∂φ_L W_L … ∂φ_1 W_1 where there is one.
package struct InputJacobian: BlockGradient {
  package static let name = "input-jacobian"
  package static let options = ["outputs"]
  private let outputs: OutputSubset
  private let inputs: Int
  private let network: NetworkShape
  /// How the chain is multiplied out.
  private(set) var bracketing: Bracketing

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    outputs = try request.outputs()
    inputs = request.network.inputs
    network = request.network
    bracketing = Bracketing(of: request.network, outputs: outputs)
  }

  /// The same beside other gradients: if these need all local gradients anyhow, the sweep is nearly free.
  func beside(_ others: Needs) -> InputJacobian {
    var own = self
    if let lowest = others.localGradients?.layers.min(), lowest <= 1 {
      own.bracketing.isTaken = false
    }
    return own
  }

  package var needs: Needs {
    var needs = Needs()
    if bracketing.isTaken {
      needs.slopes = Set(1...network.layers.count)
      needs.ownRows = bracketing.widestStack
      return needs
    }
    needs.localGradients = Needs.Sweep(outputs: outputs, layers: [0])
    return needs
  }
  package var operationsPerSample: Double { bracketing.isTaken ? bracketing.operations : 0 }
  package var widestProduct: Int {
    bracketing.isTaken ? (0...network.layers.count).map(network.width).max() ?? 0 : 0
  }

  package func layOut(for stages: Stages, in layout: inout ScratchLayout) {
    if bracketing.isTaken {
      _ = ChainLayout(bracketing, outputs: outputs, for: stages, in: &layout)
    }
  }

  package func arrays(batch: Int) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "input-jacobian", shape: [batch, outputs.count, inputs],
        axes: ["batch", "outputs", "inputs"])
    ]
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    if bracketing.isTaken {
      var layout = ScratchLayout()
      let chain = ChainLayout(bracketing, outputs: outputs, for: block.stages, in: &layout)
      let workspace = work.workspace
      try ChainPass(layout: chain, workspace: workspace, blas: BLAS.loaded()).run(block)
      let count = block.samples.count * outputs.count * inputs
      try work.writer.write(
        workspace.numbers(chain.result.part(0..<count)), array: 0,
        at: block.samples.lowerBound * outputs.count * inputs)
      return
    }
    try work.writeRows(
      block.localGradients(0), of: outputs, width: inputs, in: block, array: 0)
  }
}

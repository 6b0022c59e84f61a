/// `input-jacobian`: J[b, o, i] = ∂y_o(x_b)/∂x_i = (δ_1 W_1)[o, i], (B, outputs, n_0).
package struct InputJacobian: BlockGradient {
  package static let name = "input-jacobian"
  package static let options = ["outputs"]
  private let outputs: OutputSubset
  private let inputs: Int

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    outputs = try request.outputs()
    inputs = request.network.inputs
  }

  package var needs: Needs {
    var needs = Needs()
    needs.localGradients = Needs.Sweep(outputs: outputs, layers: [0])
    return needs
  }
  package var operationsPerSample: Double { 0 }

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
    try work.writeRows(
      block.localGradients(0), of: outputs, width: inputs, in: block, array: 0)
  }
}

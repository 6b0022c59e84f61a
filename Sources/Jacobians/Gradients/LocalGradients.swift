/// `local-gradients`: the seed's δ_k = ∂y/∂v_k for every layer, (B, outputs, n_k).
package struct LocalGradients: BlockGradient {
  package static let name = "local-gradients"
  package static let options = ["outputs"]
  private let outputs: OutputSubset
  private let network: NetworkShape

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    outputs = try request.outputs()
    network = request.network
  }

  package var needs: Needs {
    var needs = Needs()
    needs.localGradients = Needs.Sweep(outputs: outputs, layers: Set(1...network.layers.count))
    return needs
  }
  package var operationsPerSample: Double { 0 }

  package func arrays(batch: Int) -> [ResultArray] {
    (1...network.layers.count).map { k in
      ResultArray(
        gradient: Self.name, path: "local-gradients/delta\(k)",
        shape: [batch, outputs.count, network.width(k)],
        axes: ["batch", "outputs", "units of layer \(k)"])
    }
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    for k in 1...network.layers.count {
      try work.writeRows(
        block.localGradients(k), of: outputs, width: network.width(k), in: block, array: k - 1)
    }
  }
}

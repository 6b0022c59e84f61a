/// `norms`: the Frobenius norm of every ∂y_o(x_b)/∂W_k and ∂y_o(x_b)/∂b_k, an array (B, outputs) for each parameter.
///
/// An outer product's norm is the product of its factors' norms: ‖δ_k[o]‖ ‖a_{k−1}‖, and ‖δ_k[o]‖.
package struct Norms: BlockGradient {
  package static let name = "norms"
  package static let options = ["parameters", "outputs"]
  private let parameters: [Parameter]
  private let outputs: OutputSubset
  private let network: NetworkShape

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    parameters = try request.parameters()
    outputs = try request.outputs()
    network = request.network
  }

  package var needs: Needs {
    var needs = Needs()
    needs.activations = Set(parameters.filter { $0.kind == .weights }.map { $0.layer - 1 })
    needs.localGradients = Needs.Sweep(
      outputs: outputs, layers: Set(parameters.map { $0.layer }))
    return needs
  }
  package var operationsPerSample: Double {
    parameters.reduce(0) { sum, parameter in
      let rows = 2 * Double(outputs.count) * Double(network.width(parameter.layer))
      return sum + rows
        + (parameter.kind == .weights ? 2 * Double(network.width(parameter.layer - 1)) : 0)
    }
  }

  package func arrays(batch: Int) -> [ResultArray] {
    parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "norms/\(parameter)", shape: [batch, outputs.count],
        axes: ["batch", "outputs"])
    }
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    for (array, parameter) in parameters.enumerated() {
      let k = parameter.layer
      let width = network.width(k)
      let delta = block.localGradients(k)
      var stream = work.stream(array: array, at: block.samples.lowerBound * outputs.count)
      for sample in 0..<block.samples.count {
        var factor: T = 1
        if parameter.kind == .weights {
          let inputs = network.width(k - 1)
          factor = norm(
            block.activations(k - 1).extracting(sample * inputs..<(sample + 1) * inputs))
        }
        let first = sample * block.rowsPerSample
        try stream.append(rows: 1, width: outputs.count) { _, columns, piece in
          for (i, column) in columns.enumerated() {
            let start = (first + block.row(of: outputs[column])) * width
            piece[i] = factor * norm(delta.extracting(start..<start + width))
          }
        }
      }
      try stream.finish()
    }
  }
}

/// ‖row‖₂ by its sum of squares.
@inline(__always)
private func norm<T: Scalar>(_ row: Span<T>) -> T {
  var sum: T = 0
  for i in row.indices { sum += row[i] * row[i] }
  return sum.squareRoot()
}

/// `loss-gradient`: ∂ε/∂W_k = Σ_b (uᵀδ_k)[b] ⊗ a_{k−1}[b], u = y − t; `per_sample` without the sum.
///
/// uᵀδ_k is one row a sample, so this is ordinary backpropagation; δ_k itself is not computed for it.
package struct LossGradient: BlockGradient {
  package static let name = "loss-gradient"
  package static let options = ["per_sample", "parameters"]
  private let isPerSample: Bool
  private let parameters: [Parameter]
  private let network: NetworkShape

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    isPerSample = try request.flag("per_sample")
    parameters = try request.parameters()
    network = request.network
    try request.requireTargets()
  }

  package var needs: Needs {
    var needs = Needs()
    needs.activations = Set(parameters.filter { $0.kind == .weights }.map { $0.layer - 1 })
    needs.residuals = Set(parameters.map { $0.layer })
    return needs
  }

  private var columnCount: Int { parameters.reduce(0) { $0 + network.count(of: $1) } }

  package var operationsPerSample: Double { (isPerSample ? 1 : 2) * Double(columnCount) }

  package var isSummed: Bool { !isPerSample }

  package func arrays(batch: Int) -> [ResultArray] {
    parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "loss-gradient/\(parameter)",
        shape: (isPerSample ? [batch] : []) + network.shape(of: parameter),
        axes: (isPerSample ? ["batch"] : []) + parameter.axes)
    }
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    if isPerSample {
      try writeSamples(block, into: &work)
    } else {
      try sum(block, into: &work)
    }
  }

  private func writeSamples<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    for (array, parameter) in parameters.enumerated() {
      let k = parameter.layer
      let rows = block.residuals(k)
      var stream = work.stream(
        array: array, at: block.samples.lowerBound * network.count(of: parameter))
      for sample in 0..<block.samples.count {
        try stream.append(
          parameter, of: network, sample: sample, row: 0, delta: rows,
          input: parameter.kind == .weights ? block.activations(k - 1) : rows, rowsPerSample: 1)
      }
      try stream.finish()
    }
  }

  private func sum<T: Scalar>(_ block: borrowing Block<T>, into work: inout Work<T>) throws {
    let blas = try BLAS.loaded()
    let samples = block.samples.count
    for (array, parameter) in parameters.enumerated() {
      let k = parameter.layer
      let rows = block.residuals(k)
      if parameter.kind == .biases {
        try work.add(to: array) { sumRows(rows, into: &$0) }
      } else {
        let left = Matrix(rows, rows: samples, columns: network.width(k)).transposed
        let right = Matrix(
          block.activations(k - 1), rows: samples, columns: network.width(k - 1))
        try work.add(to: array) { blas.multiply(left, right, into: &$0) }
      }
    }
  }
}

/// `gauss-newton-product`: G V = Σ_b J_bᵀ (H_b (J_b V)), an array for each parameter; K vectors put K in front.
///
/// A sweep of tangents up, H at the outputs, a sweep of rows down: ten operations a parameter and sample, no J, no δ.
package struct GaussNewtonProduct: BlockGradient {
  package static let name = "gauss-newton-product"
  package static let options = ["vectors", "loss", "parameters", "outputs"]
  private let vectors: ParameterVectors
  private let loss: OutputLoss
  private let outputs: OutputSubset
  private let network: NetworkShape

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    vectors = try ParameterVectors(reading: request, parameters: request.parameters())
    loss = try OutputLoss(reading: request)
    outputs = try request.outputs()
    network = request.network
  }

  package var needs: Needs {
    TangentSweep.needs(vectors, of: network)
      .union(CotangentSweep.needs(vectors.parameters, count: vectors.count, of: network))
  }
  package var operationsPerSample: Double {
    TangentSweep.operations(vectors, of: network)
      + CotangentSweep.operations(
        vectors.parameters, count: vectors.count, of: network, isSummed: true)
  }
  package var isSummed: Bool { true }
  package var widestProduct: Int { (0...network.layers.count).map(network.width).max() ?? 0 }

  package func arrays(batch: Int) -> [ResultArray] {
    vectors.parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "gauss-newton-product/\(parameter)",
        shape: (vectors.hasAxis ? [vectors.count] : []) + network.shape(of: parameter),
        axes: (vectors.hasAxis ? ["vectors"] : []) + parameter.axes)
    }
  }

  private struct Places {
    let up: TangentSweep
    let down: CotangentSweep
    let probabilities: Region
  }

  private func places(_ stages: Stages, in layout: inout ScratchLayout) -> Places {
    Places(
      up: TangentSweep(vectors, for: stages, in: &layout),
      down: CotangentSweep(vectors.parameters, count: vectors.count, for: stages, in: &layout),
      probabilities: layout.add(
        "p", rows: loss == .squaredError ? 0 : stages.samples, columns: network.outputs))
  }

  package func layOut(for stages: Stages, in layout: inout ScratchLayout) {
    _ = places(stages, in: &layout)
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    let blas = try BLAS.loaded()
    var layout = ScratchLayout()
    let places = places(block.stages, in: &layout)
    let workspace = work.workspace
    let samples = block.samples.count
    let width = network.outputs
    let rows = block.stages.padded(samples)
    let tangents = places.up.run(vectors, block, blas: blas, in: workspace)
    do {
      var p = workspace.mutable(places.probabilities)
      loss.fillProbabilities(&p, outputs: block.outputs, width: width)
      var u = workspace.mutable(places.down.start(block.stages, samples: samples))
      copy(workspace.numbers(tangents), to: &u)
      for v in 0..<vectors.count {
        var own = u._mutatingExtracting(v * rows * width..<(v * rows + samples) * width)
        loss.multiply(
          &own, probabilities: workspace.numbers(places.probabilities), outputs: outputs,
          samples: samples, width: width)
      }
    }
    try places.down.sum(block, blas: blas, into: &work)
  }
}

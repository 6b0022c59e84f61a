/// `vjp`: uᵀJ, Σ_b u_bᵀ ∂y(x_b)/∂w, an array for each parameter; `per_sample` without the sum.
///
/// Ordinary backpropagation of u; with u = y − t it is `loss-gradient`. Several vectors put K in front, behind B.
package struct VectorJacobianProduct: BlockGradient {
  package static let name = "vjp"
  package static let options = ["vectors", "per_sample", "parameters", "outputs"]
  private let vectors: OutputVectors
  private let isPerSample: Bool
  private let parameters: [Parameter]
  private let network: NetworkShape

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    vectors = try OutputVectors(reading: request, outputs: request.outputs())
    isPerSample = try request.flag("per_sample")
    parameters = try request.parameters()
    network = request.network
  }

  package var needs: Needs {
    CotangentSweep.needs(parameters, count: vectors.count, of: network)
  }
  package var operationsPerSample: Double {
    CotangentSweep.operations(
      parameters, count: vectors.count, of: network, isSummed: !isPerSample)
  }
  package var isSummed: Bool { !isPerSample }
  package var widestProduct: Int { (0...network.layers.count).map(network.width).max() ?? 0 }

  package func arrays(batch: Int) -> [ResultArray] {
    parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "vjp/\(parameter)",
        shape: (isPerSample ? [batch] : []) + (vectors.hasAxis ? [vectors.count] : [])
          + network.shape(of: parameter),
        axes: (isPerSample ? ["batch"] : []) + (vectors.hasAxis ? ["vectors"] : [])
          + parameter.axes)
    }
  }

  package func layOut(for stages: Stages, in layout: inout ScratchLayout) {
    _ = CotangentSweep(parameters, count: vectors.count, for: stages, in: &layout)
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    let blas = try BLAS.loaded()
    var layout = ScratchLayout()
    let sweep = CotangentSweep(parameters, count: vectors.count, for: block.stages, in: &layout)
    let workspace = work.workspace
    let samples = block.samples.count
    let rows = block.stages.padded(samples)
    do {
      var start = workspace.mutable(sweep.start(block.stages, samples: samples))
      vectors.fill(
        &start, samples: block.samples, rows: rows, width: network.outputs, of: block.problem)
    }
    if !isPerSample {
      try sweep.sum(block, blas: blas, into: &work)
      return
    }
    try sweep.run(block, blas: blas, in: workspace) { array, parameter, g in
      let width = network.width(parameter.layer)
      var stream = work.stream(
        array: array,
        at: block.samples.lowerBound * vectors.count * network.count(of: parameter))
      for sample in 0..<samples {
        for v in 0..<vectors.count {
          let own = g.extracting(v * rows * width..<(v * rows + samples) * width)
          try stream.append(
            parameter, of: network, sample: sample, row: 0, delta: own,
            input: parameter.kind == .weights ? block.activations(parameter.layer - 1) : own,
            rowsPerSample: 1)
        }
      }
      try stream.finish()
    }
  }
}

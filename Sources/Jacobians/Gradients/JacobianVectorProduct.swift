/// `jvp`: J V for every sample, (J V)[b, o] = Σ_w ∂y_o(x_b)/∂w V[w], (B, outputs), or (B, K, outputs) of K vectors.
///
/// One sweep of tangents beside the forward pass; neither J nor δ is formed.
package struct JacobianVectorProduct: BlockGradient {
  package static let name = "jvp"
  package static let options = ["vectors", "parameters", "outputs"]
  private let vectors: ParameterVectors
  private let outputs: OutputSubset
  private let network: NetworkShape

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    vectors = try ParameterVectors(reading: request, parameters: request.parameters())
    outputs = try request.outputs()
    network = request.network
  }

  package var needs: Needs { TangentSweep.needs(vectors, of: network) }
  package var operationsPerSample: Double { TangentSweep.operations(vectors, of: network) }
  package var widestProduct: Int { (0...network.layers.count).map(network.width).max() ?? 0 }

  package func arrays(batch: Int) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "jvp",
        shape: [batch] + (vectors.hasAxis ? [vectors.count] : []) + [outputs.count],
        axes: ["batch"] + (vectors.hasAxis ? ["vectors"] : []) + ["outputs"])
    ]
  }

  package func layOut(for stages: Stages, in layout: inout ScratchLayout) {
    _ = TangentSweep(vectors, for: stages, in: &layout)
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    var layout = ScratchLayout()
    let sweep = TangentSweep(vectors, for: block.stages, in: &layout)
    let workspace = work.workspace
    let region = try sweep.run(vectors, block, blas: BLAS.loaded(), in: workspace)
    let rows = block.stages.padded(block.samples.count)
    let width = network.outputs
    let tangents = workspace.numbers(region)
    var stream = work.stream(
      array: 0, at: block.samples.lowerBound * vectors.count * outputs.count)
    for sample in 0..<block.samples.count {
      for v in 0..<vectors.count {
        let row = tangents.extracting((v * rows + sample) * width..<(v * rows + sample + 1) * width)
        try stream.append(rows: 1, width: outputs.count) { _, columns, piece in
          for (i, column) in columns.enumerated() { piece[i] = row[outputs[column]] }
        }
      }
    }
    try stream.finish()
  }
}

/// `gauss-newton-diagonal`: the diagonal of G = Σ_b J_bᵀ H_b J_b, an array for each parameter.
///
/// With q_k[b, j] = (δ_kᵀ H δ_k)[j, j] it is Σ_b q_k ⊗ a_{k−1}² and Σ_b q_k: one product of squares a layer.
/// q_k = Σ_o δ_k[o, j]² for squared error, Σ_o p_o (δ_k[o, j] − δ̄_k[j])² for softmax cross-entropy.
package struct GaussNewtonDiagonal: BlockGradient {
  package static let name = "gauss-newton-diagonal"
  package static let options = ["loss", "parameters", "outputs"]
  private let loss: OutputLoss
  private let parameters: [Parameter]
  private let outputs: OutputSubset
  private let network: NetworkShape

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    loss = try OutputLoss(reading: request)
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
      let width = Double(network.width(parameter.layer))
      return sum
        + (parameter.kind == .weights
          ? 2 * Double(network.count(of: parameter)) : 3 * width * Double(outputs.count))
    }
  }
  package var isSummed: Bool { true }
  package var widestProduct: Int { (0...network.layers.count).map(network.width).max() ?? 0 }

  package func arrays(batch: Int) -> [ResultArray] {
    parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "gauss-newton-diagonal/\(parameter)",
        shape: network.shape(of: parameter), axes: parameter.axes)
    }
  }

  private struct Places {
    let squares: Region
    let inputs: Region
    let mean: Region
    let probabilities: Region
  }

  private func places(_ stages: Stages, in layout: inout ScratchLayout) -> Places {
    // Asked for every block: without an array.
    let layers = parameters.lazy.map(\.layer)
    let isSoftmax = loss == .softmaxCrossEntropy
    let widest = layers.map { network.width($0) }.max() ?? 0
    return Places(
      squares: layout.add("q", rows: stages.samples, columns: widest),
      inputs: layout.add(
        "a²", rows: stages.samples, columns: layers.map { network.width($0 - 1) }.max() ?? 0),
      mean: layout.add("mean δ", rows: isSoftmax ? 1 : 0, columns: widest),
      probabilities: layout.add("p", rows: isSoftmax ? stages.samples : 0, columns: network.outputs)
    )
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
    do {
      var p = workspace.mutable(places.probabilities)
      loss.fillProbabilities(&p, outputs: block.outputs, width: network.outputs)
    }
    var layer = 0
    for (array, parameter) in parameters.enumerated() {
      let k = parameter.layer
      let width = network.width(k)
      if k != layer {
        fillSquares(block, k, places, workspace)
        layer = k
      }
      let q = workspace.numbers(places.squares.part(0..<samples * width))
      if parameter.kind == .biases {
        try work.add(to: array) { sumRows(q, into: &$0) }
        continue
      }
      let inputs = network.width(k - 1)
      let a = block.activations(k - 1)
      do {
        var squares = workspace.mutable(places.inputs.part(0..<samples * inputs))
        sumSquares(a, adding: false, into: &squares)
      }
      let squares = workspace.numbers(places.inputs.part(0..<samples * inputs))
      try work.add(to: array) {
        blas.multiply(
          Matrix(q, rows: samples, columns: width).transposed,
          Matrix(squares, rows: samples, columns: inputs), into: &$0)
      }
    }
  }

  /// q_k, (samples, n_k).
  private func fillSquares<T: Scalar>(
    _ block: borrowing Block<T>, _ k: Int, _ places: Places, _ workspace: Workspace<T>
  ) {
    let width = network.width(k)
    let delta = block.localGradients(k)
    let p = workspace.numbers(places.probabilities)
    for sample in 0..<block.samples.count {
      var q = workspace.mutable(places.squares.part(sample * width..<(sample + 1) * width))
      let first = sample * block.rowsPerSample
      if loss == .squaredError {
        if outputs == block.stages.needs.localGradients?.outputs {
          let rows = first * width..<(first + outputs.count) * width
          sumSquares(delta.extracting(rows), adding: false, into: &q)
          continue
        }
        for r in outputs.indices {
          let start = (first + block.row(of: outputs[r])) * width
          sumSquares(delta.extracting(start..<start + width), adding: r > 0, into: &q)
        }
        continue
      }
      for i in q.indices { q[i] = 0 }
      var mean = workspace.mutable(places.mean.part(0..<width))
      for i in mean.indices { mean[i] = 0 }
      var total: T = 0
      for output in outputs {
        let weight = p[sample * network.outputs + output]
        total += weight
        let start = (first + block.row(of: output)) * width
        let row = delta.extracting(start..<start + width)
        addScaled(row, by: weight, to: &mean)
      }
      for output in outputs {
        let weight = p[sample * network.outputs + output]
        let start = (first + block.row(of: output)) * width
        let row = delta.extracting(start..<start + width)
        addSquares(of: row, less: mean.span, by: weight, to: &q)
      }
      if outputs.count < network.outputs {
        let rest = max(0, 1 - total)
        for i in q.indices { q[i] += rest * mean[i] * mean[i] }
      }
    }
  }
}

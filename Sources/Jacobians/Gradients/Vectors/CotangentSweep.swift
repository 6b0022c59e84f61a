/// uᵀJ of a block for K vectors u: ordinary backpropagation of rows, contracted with the activities on the way.
///
///     g_L = uᵀ ∂φ_L/∂v_L,   g_{k−1} = (g_k W_k) ∂φ_{k−1}/∂v_{k−1},   uᵀ∂y/∂W_k = g_k ⊗ a_{k−1},   uᵀ∂y/∂b_k = g_k
struct CotangentSweep: Sendable {
  /// The parameters by which y is derived, in the network's order: the arrays of the gradient.
  let parameters: [Parameter]
  /// K.
  let count: Int
  private let turns: [Region]
  private let lowest: Int

  /// Lays out a sweep for blocks of a job.
  init(
    _ parameters: [Parameter], count: Int, for stages: Stages, in layout: inout ScratchLayout
  ) {
    self.parameters = parameters
    self.count = count
    lowest = parameters.map(\.layer).min() ?? 1
    turns = TangentSweep.turns(
      "cotangents", count: count, rows: stages.padded(stages.samples),
      layers: lowest...stages.network.layers.count, of: stages.network, in: &layout)
  }

  /// What a gradient with such a sweep reads of stage 1.
  static func needs(
    _ parameters: [Parameter], count: Int, of network: NetworkShape
  ) -> Needs {
    var needs = Needs()
    needs.activations = Set(parameters.filter { $0.kind == .weights }.map { $0.layer - 1 })
    needs.slopes = Set((parameters.map(\.layer).min() ?? 1)...network.layers.count)
    needs.ownRows = count
    return needs
  }

  /// Operations of one sample: one product a layer to pull back, and the contraction.
  static func operations(
    _ parameters: [Parameter], count: Int, of network: NetworkShape, isSummed: Bool
  ) -> Double {
    let lowest = parameters.map(\.layer).min() ?? 1
    let pulled = (lowest...network.layers.count).reduce(0.0) { sum, k in
      let product = 2 * Double(network.width(k)) * Double(network.width(k - 1))
      return sum + (k > lowest ? product : 0) + Double(network.width(k))
    }
    let contracted = parameters.reduce(0.0) { $0 + Double(network.count(of: $1)) }
    return (pulled + contracted * (isSummed ? 2 : 1)) * Double(count)
  }

  /// The rows at the outputs, (K, padded rows of the block, m), for the caller to fill with u.
  func start(_ stages: Stages, samples: Int) -> Region {
    let last = stages.network.layers.count
    return turns[last & 1].part(0..<count * stages.padded(samples) * stages.network.outputs)
  }

  /// Pulls the rows at `start` back; each layer's g_k, (K, padded rows, n_k), is given to `contract` with its parameters.
  func run<T: Scalar>(
    _ block: borrowing Block<T>, blas: BLAS, in workspace: Workspace<T>,
    _ contract: (_ array: Int, _ parameter: Parameter, _ g: Span<T>) throws -> Void
  ) rethrows {
    let network = block.stages.network
    let samples = block.samples.count
    let rows = block.stages.padded(samples)
    for k in stride(from: network.layers.count, through: lowest, by: -1) {
      let width = network.width(k)
      let region = turns[k & 1].part(0..<count * rows * width)
      if k < network.layers.count {
        let above = network.width(k + 1)
        let from = workspace.numbers(turns[(k + 1) & 1].part(0..<count * rows * above))
        let w = block.problem.network.weights[k]
        var to = workspace.mutable(region)
        blas.multiply(
          Matrix(from, rows: count * rows, columns: above),
          Matrix(w.span, rows: above, columns: width), into: &to)
      }
      var g = workspace.mutable(region)
      for v in 0..<count {
        var own = g._mutatingExtracting(v * rows * width..<(v * rows + samples) * width)
        network.layers[k - 1].activation.pullBack(
          &own, slopes: block.slopes(k), samples: samples, rowsPerSample: 1, width: width)
      }
      for (array, parameter) in parameters.enumerated() where parameter.layer == k {
        try contract(array, parameter, workspace.numbers(region))
      }
    }
  }

  /// Adds the block's Σ_b g_k ⊗ a_{k−1}, or Σ_b g_k, of every vector to the sums of array after array.
  func sum<T: Scalar>(
    _ block: borrowing Block<T>, blas: BLAS, into work: inout Work<T>
  ) throws {
    let network = block.stages.network
    let samples = block.samples.count
    let rows = block.stages.padded(samples)
    let workspace = work.workspace
    try run(block, blas: blas, in: workspace) { array, parameter, g in
      let width = network.width(parameter.layer)
      let size = network.count(of: parameter)
      try work.add(to: array) { share in
        for v in 0..<count {
          var own = share._mutatingExtracting(v * size..<(v + 1) * size)
          let part = g.extracting(v * rows * width..<(v * rows + samples) * width)
          if parameter.kind == .biases {
            sumRows(part, into: &own)
          } else {
            let inputs = network.width(parameter.layer - 1)
            blas.multiply(
              Matrix(part, rows: samples, columns: width).transposed,
              Matrix(
                block.activations(parameter.layer - 1), rows: samples, columns: inputs),
              into: &own)
          }
        }
      }
    }
  }
}

/// J V beside a block's forward pass: ∂v_k/∂w V and ∂a_k/∂w V, from the lowest layer that V moves to the outputs.
///
///     V_k-moved fields: t_k = A_{k−1} V_kᵀ + c_k + r_{k−1} W_kᵀ,   r_k = ∂φ_k/∂v_k t_k,   r_L = J V
///
/// Pearlmutter 1994, "Fast exact multiplication by the Hessian", its R{·} operator. Two products a layer, whatever
/// the number of outputs; the K vectors' rows are stacked, vector by vector.
struct TangentSweep: Sendable {
  /// Padded rows of one vector.
  let rows: Int
  /// What the sweep takes in turn, by the parity of k: (K, rows, n_k).
  private let turns: [Region]
  private let lowest: Int

  /// Lays out a sweep for blocks of a job.
  init(_ vectors: ParameterVectors, for stages: Stages, in layout: inout ScratchLayout) {
    rows = stages.padded(stages.samples)
    lowest = vectors.lowest
    turns = TangentSweep.turns(
      "tangents", count: vectors.count, rows: rows, layers: lowest...stages.network.layers.count,
      of: stages.network, in: &layout)
  }

  /// Two regions that layers take in turn, each as wide as its widest.
  static func turns(
    _ name: String, count: Int, rows: Int, layers: ClosedRange<Int>, of network: NetworkShape,
    in layout: inout ScratchLayout
  ) -> [Region] {
    let (stacked, overflow) = count.multipliedReportingOverflow(by: rows)
    return (0...1).map { parity in
      let widths = layers.filter { $0 & 1 == parity }.map(network.width)
      return layout.add(name, rows: overflow ? .max : stacked, columns: widths.max() ?? 0)
    }
  }

  /// What a gradient with such a sweep reads of stage 1.
  static func needs(_ vectors: ParameterVectors, of network: NetworkShape) -> Needs {
    var needs = Needs()
    needs.activations = Set(
      vectors.parameters.filter { $0.kind == .weights && vectors.moves($0) }.map { $0.layer - 1 })
    needs.slopes = Set(vectors.lowest...network.layers.count)
    needs.ownRows = vectors.count
    return needs
  }

  /// Operations of one sample: two products a layer, the second from the layer above the lowest on.
  static func operations(_ vectors: ParameterVectors, of network: NetworkShape) -> Double {
    let all = (vectors.lowest...network.layers.count).reduce(0.0) { sum, k in
      let product = 2 * Double(network.width(k)) * Double(network.width(k - 1))
      let isMoved = vectors.moves(Parameter(kind: .weights, layer: k))
      return sum + (isMoved ? product : 0) + (k > vectors.lowest ? product : 0)
        + 2 * Double(network.width(k))
    }
    return all * Double(vectors.count)
  }

  /// Computes J V of a block; the region has its rows, (K, `rows` of the block, m).
  func run<T: Scalar>(
    _ vectors: ParameterVectors, _ block: borrowing Block<T>, blas: BLAS,
    in workspace: Workspace<T>
  ) -> Region {
    let network = block.stages.network
    let samples = block.samples.count
    let rows = block.stages.padded(samples)
    var result = Region.none
    for k in lowest...network.layers.count {
      let width = network.width(k)
      let inputs = network.width(k - 1)
      let region = turns[k & 1].part(0..<vectors.count * rows * width)
      var t = workspace.mutable(region)
      let weights = Parameter(kind: .weights, layer: k)
      let biases = Parameter(kind: .biases, layer: k)
      var isBegun = false
      for v in 0..<vectors.count {
        var own = t._mutatingExtracting(v * rows * width..<(v + 1) * rows * width)
        isBegun = false
        if let (values, start) = vectors.place(biases, v, of: block.problem) {
          fillRows(&own, with: values.span.extracting(start..<start + width), rows: rows)
          isBegun = true
        }
        if let (values, start) = vectors.place(weights, v, of: block.problem) {
          blas.multiply(
            Matrix(block.paddedActivations(k - 1), rows: rows, columns: inputs),
            Matrix(values.span, at: start, rows: width, columns: inputs).transposed,
            adding: isBegun ? 1 : 0, into: &own)
          isBegun = true
        }
      }
      if k > lowest {
        let below = workspace.numbers(turns[(k - 1) & 1].part(0..<vectors.count * rows * inputs))
        let w = block.problem.network.weights[k - 1]
        blas.multiply(
          Matrix(below, rows: vectors.count * rows, columns: inputs),
          Matrix(w.span, rows: width, columns: inputs).transposed, adding: isBegun ? 1 : 0, into: &t
        )
      }
      for v in 0..<vectors.count {
        var own = t._mutatingExtracting(v * rows * width..<(v * rows + samples) * width)
        network.layers[k - 1].activation.pushForward(
          &own, slopes: block.slopes(k), samples: samples, rowsPerSample: 1, width: width)
      }
      result = region
    }
    return result
  }
}

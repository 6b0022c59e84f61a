/// `gauss-newton`: G = Σ_b J_bᵀ H_b J_b whole, (P, P), columns and rows as those of a matrix of parameters.
///
/// Rows of H^½ J are multiplied out some at a time and contracted at once, by a symmetric product of half the cost;
/// J is never whole. P² numbers stay in memory, so that P is some thousands at most.
package struct GaussNewtonMatrix: BlockGradient {
  package static let name = "gauss-newton"
  package static let options = ["loss", "parameters", "outputs"]
  private let loss: OutputLoss
  private let parameters: [Parameter]
  private let outputs: OutputSubset
  private let network: NetworkShape
  /// The layers of the parameters, ascending.
  private let layers: [Int]
  /// Numbers of rows that are multiplied out together: about what the second-level cache holds of both factors.
  private static let tileNumbers = 1 << 19
  private static let mostTileRows = 256

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    loss = try OutputLoss(reading: request)
    parameters = try request.parameters()
    outputs = try request.outputs()
    network = request.network
    layers = Set(parameters.map(\.layer)).sorted()
    let count = columnCount
    guard count <= Int(Int32.max) else {
      throw PlanError(
        place: request.place, reason: "a matrix of \(count) rows and columns",
        remedy: "ask for fewer parameters, or for gauss-newton-product")
    }
  }

  private var columnCount: Int { parameters.reduce(0) { $0 + network.count(of: $1) } }

  package var needs: Needs {
    var needs = Needs()
    needs.activations = Set(parameters.filter { $0.kind == .weights }.map { $0.layer - 1 })
    needs.localGradients = Needs.Sweep(
      outputs: outputs, layers: Set(parameters.map { $0.layer }))
    return needs
  }
  package var operationsPerSample: Double {
    let rows = Double(loss.rootRows(outputs, of: network))
    return rows * Double(columnCount) * (Double(columnCount) + 1)
  }
  package var isSummed: Bool { true }
  package var widestProduct: Int { columnCount }

  package func arrays(batch: Int) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "gauss-newton", shape: [columnCount, columnCount],
        axes: ["parameters", "parameters"], columns: parameters)
    ]
  }

  private struct Places {
    let rows: Int
    let tile: Region
    let mean: Region
    let probabilities: Region
    /// The rows of H^½ δ_k of one sample, one layer's after the other's.
    let roots: Region
  }

  private func places(_ stages: Stages, in layout: inout ScratchLayout) -> Places {
    let rootRows = loss.rootRows(outputs, of: network)
    let rows = max(
      1, min(GaussNewtonMatrix.mostTileRows, GaussNewtonMatrix.tileNumbers / max(1, columnCount)))
    let isSoftmax = loss == .softmaxCrossEntropy
    // Asked for every block: without an array.
    let widths = layers.lazy.map { network.width($0) }
    return Places(
      rows: rows, tile: layout.add("rows of H^½ J", rows: rows, columns: columnCount),
      mean: layout.add("mean δ", rows: 1, columns: widths.max() ?? 0),
      probabilities: layout.add(
        "p", rows: isSoftmax ? stages.samples : 0, columns: network.outputs),
      roots: layout.add("H^½ δ", rows: rootRows, columns: widths.reduce(0, +)))
  }

  /// The rows of layer k among those of all layers, (rows, n_k).
  private func root(_ k: Int, _ places: Places) -> Region {
    let rootRows = loss.rootRows(outputs, of: network)
    let before = layers.lazy.prefix { $0 < k }.reduce(0) { $0 + network.width($1) }
    return places.roots.part(rootRows * before..<rootRows * (before + network.width(k)))
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
    do {
      var p = workspace.mutable(places.probabilities)
      loss.fillProbabilities(&p, outputs: block.outputs, width: network.outputs)
    }
    let rootRows = loss.rootRows(outputs, of: network)
    let columns = columnCount
    try work.add(to: 0) { share in
      var filled = 0
      var isBegun = false
      for sample in 0..<block.samples.count {
        fillRoots(block, sample, places, workspace)
        for row in 0..<rootRows {
          do {
            var place = workspace.mutable(
              places.tile.part(filled * columns..<(filled + 1) * columns))
            fillRow(block, sample, row, places, workspace, into: &place)
          }
          filled += 1
          if filled == places.rows {
            blas.multiplyByItself(
              Matrix(workspace.numbers(places.tile), rows: filled, columns: columns),
              adding: isBegun ? 1 : 0, into: &share)
            isBegun = true
            filled = 0
          }
        }
      }
      if filled > 0 {
        blas.multiplyByItself(
          Matrix(workspace.numbers(places.tile), rows: filled, columns: columns),
          adding: isBegun ? 1 : 0, into: &share)
      }
    }
  }

  /// The rows of H^½ δ_k of one sample, of every layer.
  private func fillRoots<T: Scalar>(
    _ block: borrowing Block<T>, _ sample: Int, _ places: Places, _ workspace: Workspace<T>
  ) {
    let m = network.outputs
    let all = workspace.numbers(places.probabilities)
    let p = all.isEmpty ? all : all.extracting(sample * m..<(sample + 1) * m)
    for k in layers {
      let width = network.width(k)
      var mean = workspace.mutable(places.mean.part(0..<width))
      var root = workspace.mutable(root(k, places))
      let first = sample * block.rowsPerSample
      let pulled = block.outputsPulledBack
      loss.squareRoot(
        { (first + pulled.place(of: outputs[$0])) * width }, of: block.localGradients(k),
        probabilities: p, outputs: outputs,
        width: width, mean: &mean, into: &root)
    }
  }

  /// One row of H^½ J, multiplied out.
  private func fillRow<T: Scalar>(
    _ block: borrowing Block<T>, _ sample: Int, _ row: Int, _ places: Places,
    _ workspace: Workspace<T>, into place: inout MutableSpan<T>
  ) {
    var start = 0
    for parameter in parameters {
      let k = parameter.layer
      let width = network.width(k)
      let count = network.count(of: parameter)
      let d = workspace.numbers(root(k, places).part(row * width..<(row + 1) * width))
      var own = place._mutatingExtracting(start..<start + count)
      start += count
      if parameter.kind == .biases {
        copy(d, to: &own)
      } else {
        let inputs = network.width(k - 1)
        outerProduct(
          d, block.activations(k - 1).extracting(sample * inputs..<(sample + 1) * inputs),
          into: &own)
      }
    }
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func complete<T: Scalar>(_ sum: inout MutableSpan<T>, array: Int) {
    let n = columnCount
    for i in 0..<n { for j in 0..<i { sum[i * n + j] = sum[j * n + i] } }
  }
}

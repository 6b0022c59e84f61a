/// `singular-values`: those of every sample's ∂y/∂w, (B, min(m, P)), and ∂y/∂x, (B, min(m, n_0)), descending.
///
/// They are the roots of the eigenvalues of J Jᵀ, (m × m), made from factors: Σ_k δ_k δ_kᵀ (‖a_{k−1}‖² + 1); of ∂y/∂x
/// of the smaller of J Jᵀ and Jᵀ J. A value below √ε times the largest is lost to rounding, as squares are.
package struct SingularValues: BlockGradient {
  /// Whose they are.
  private enum Source: String, CaseIterable, Sendable {
    case parameters = "parameter-jacobian"
    case inputs = "input-jacobian"
  }

  package static let name = "singular-values"
  package static let options = ["jacobians", "parameters", "outputs"]
  private let sources: [Source]
  private let parameters: [Parameter]
  private let outputs: OutputSubset
  private let network: NetworkShape
  /// The layers of the parameters, ascending.
  private let layers: [Int]

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    sources = try SingularValues.sources(request)
    parameters = try request.parameters()
    outputs = try request.outputs()
    network = request.network
    layers = Set(parameters.map(\.layer)).sorted()
    if !sources.contains(.parameters), request.options["parameters"] != nil {
      throw PlanError(
        place: "\(request.place).parameters", reason: "∂y/∂x does not depend on parameters chosen",
        remedy: "leave parameters out, or add \"parameter-jacobian\" to jacobians")
    }
  }

  private static func sources(_ request: GradientOptions) throws(PlanError) -> [Source] {
    guard let value = request.options["jacobians"] else { return Source.allCases }
    let place = "\(request.place).jacobians"
    let allowed =
      "allowed: a list of "
      + Source.allCases.map { "\"\($0.rawValue)\"" }
      .joined(separator: ", ")
    guard case .texts(let names) = value, !names.isEmpty else {
      throw PlanError(place: place, reason: "no Jacobian is named", remedy: allowed)
    }
    for (i, name) in names.enumerated() {
      guard Source(rawValue: name) != nil else {
        throw PlanError(place: "\(place)[\(i)]", reason: "no Jacobian \"\(name)\"", remedy: allowed)
      }
      guard names.firstIndex(of: name) == i else {
        throw PlanError(
          place: "\(place)[\(i)]", reason: "\"\(name)\" is named twice", remedy: "name it once")
      }
    }
    return Source.allCases.filter { names.contains($0.rawValue) }
  }

  package var needs: Needs {
    var needs = Needs()
    var layers: Set<Int> = []
    if sources.contains(.parameters) {
      needs.activations = Set(parameters.filter { $0.kind == .weights }.map { $0.layer - 1 })
      layers.formUnion(parameters.map(\.layer))
    }
    if sources.contains(.inputs) { layers.insert(0) }
    needs.localGradients = Needs.Sweep(outputs: outputs, layers: layers)
    return needs
  }

  private var columnCount: Int { parameters.reduce(0) { $0 + network.count(of: $1) } }

  private func count(of source: Source) -> Int {
    min(outputs.count, source == .parameters ? columnCount : network.inputs)
  }

  /// The extent of the matrix whose eigenvalues are taken.
  private func extent(of source: Source) -> Int {
    source == .parameters ? outputs.count : count(of: source)
  }

  package var operationsPerSample: Double {
    sources.reduce(0) { sum, source in
      let n = Double(extent(of: source))
      let depth =
        source == .inputs
        ? Double(max(outputs.count, network.inputs))
        : layers.reduce(0.0) { $0 + Double(network.width($1)) }
      return sum + 2 * n * n * depth + 4 / 3 * n * n * n
    }
  }
  package var widestProduct: Int { max(outputs.count, network.inputs) }

  package func arrays(batch: Int) -> [ResultArray] {
    sources.map { source in
      ResultArray(
        gradient: Self.name, path: "singular-values/\(source.rawValue)",
        shape: [batch, count(of: source)], axes: ["batch", "singular values"])
    }
  }

  private struct Places {
    let gram: Region
    let values: Region
    let rows: Region
  }

  private func places(in layout: inout ScratchLayout) -> Places {
    // Asked for every block: without an array.
    let n = sources.lazy.map { extent(of: $0) }.max() ?? 0
    let widest = (0...network.layers.count).lazy.map { network.width($0) }.max() ?? 0
    return Places(
      gram: layout.add("J Jᵀ", rows: n, columns: n),
      values: layout.add("eigenvalues", rows: 1, columns: 3 * n + 1),
      rows: layout.add("δ", rows: outputs.count, columns: widest))
  }

  package func layOut(for stages: Stages, in layout: inout ScratchLayout) {
    _ = places(in: &layout)
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    let blas = try BLAS.loaded()
    var layout = ScratchLayout()
    let places = places(in: &layout)
    let workspace = work.workspace
    for (array, source) in sources.enumerated() {
      let count = count(of: source)
      var stream = work.stream(array: array, at: block.samples.lowerBound * count)
      for sample in 0..<block.samples.count {
        switch source {
        case .parameters: fillParameterGram(block, sample, places, workspace, blas)
        case .inputs: fillInputGram(block, sample, places, workspace, blas)
        }
        let isKnown = solve(source, places, workspace, blas)
        let values = workspace.numbers(places.values)
        let last = extent(of: source) - 1
        try stream.append(rows: 1, width: count) { _, columns, piece in
          for (i, column) in columns.enumerated() {
            piece[i] = isKnown ? max(0, values[last - column]).squareRoot() : .nan
          }
        }
      }
      try stream.finish()
    }
  }

  /// Whether the Gram matrix was finite and its eigenvalues were found.
  private func solve<T: Scalar>(
    _ source: Source, _ places: Places, _ workspace: Workspace<T>, _ blas: BLAS
  ) -> Bool {
    let n = extent(of: source)
    var gram = workspace.mutable(places.gram.part(0..<n * n))
    let found = Numerics.NonFinite(in: gram.span)
    guard found == Numerics.NonFinite() else { return false }
    var values = workspace.mutable(places.values)
    return blas.eigenvalues(of: &gram, rows: n, into: &values)
  }

  private func fillParameterGram<T: Scalar>(
    _ block: borrowing Block<T>, _ sample: Int, _ places: Places, _ workspace: Workspace<T>,
    _ blas: BLAS
  ) {
    let m = outputs.count
    var isBegun = false
    for k in layers {
      let width = network.width(k)
      var scale: T = parameters.contains(Parameter(kind: .biases, layer: k)) ? 1 : 0
      if parameters.contains(Parameter(kind: .weights, layer: k)) {
        let inputs = network.width(k - 1)
        let a = block.activations(k - 1).extracting(sample * inputs..<(sample + 1) * inputs)
        for i in a.indices { scale += a[i] * a[i] }
      }
      gather(block, k, sample, places, workspace)
      let rows = workspace.numbers(places.rows.part(0..<m * width))
      var gram = workspace.mutable(places.gram.part(0..<m * m))
      let matrix = Matrix(rows, rows: m, columns: width)
      blas.multiply(
        matrix, matrix.transposed, scale: scale, adding: isBegun ? 1 : 0, into: &gram)
      isBegun = true
    }
  }

  private func fillInputGram<T: Scalar>(
    _ block: borrowing Block<T>, _ sample: Int, _ places: Places, _ workspace: Workspace<T>,
    _ blas: BLAS
  ) {
    let m = outputs.count
    let width = network.inputs
    gather(block, 0, sample, places, workspace)
    let matrix = Matrix(
      workspace.numbers(places.rows.part(0..<m * width)), rows: m, columns: width)
    let n = extent(of: .inputs)
    var gram = workspace.mutable(places.gram.part(0..<n * n))
    if m <= width {
      blas.multiply(matrix, matrix.transposed, into: &gram)
    } else {
      blas.multiply(matrix.transposed, matrix, into: &gram)
    }
  }

  /// One sample's rows δ_k of the outputs asked for, one after another.
  private func gather<T: Scalar>(
    _ block: borrowing Block<T>, _ k: Int, _ sample: Int, _ places: Places,
    _ workspace: Workspace<T>
  ) {
    let width = network.width(k)
    let delta = block.localGradients(k)
    for r in outputs.indices {
      let start = (sample * block.rowsPerSample + block.row(of: outputs[r])) * width
      var place = workspace.mutable(places.rows.part(r * width..<(r + 1) * width))
      copy(delta.extracting(start..<start + width), to: &place)
    }
  }
}

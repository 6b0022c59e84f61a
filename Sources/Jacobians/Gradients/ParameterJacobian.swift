/// `parameter-jacobian`: ∂y_o/∂W_k[j, i] = δ_k[o, j] a_{k−1}[i] and ∂y_o/∂b_k[j] = δ_k[o, j] for every sample.
///
/// Dense it is multiplied out tile by tile, never whole in memory; factored it is δ_k and a_{k−1} themselves.
package struct ParameterJacobian: BlockGradient {
  /// Multiplied out, or as its factors.
  package enum Form: String, CaseIterable, Sendable { case dense, factored }
  /// An array for each parameter, or one whose columns are all parameters.
  package enum Layout: String, CaseIterable, Sendable {
    case perParameter = "per-parameter"
    case matrix
  }

  package static let name = "parameter-jacobian"
  package static let options = ["form", "layout", "parameters", "outputs"]
  private let form: Form
  private let layout: Layout
  private let parameters: [Parameter]
  private let outputs: OutputSubset
  private let network: NetworkShape

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    form = try request.choice("form", Form.self, default: .dense)
    layout = try request.choice("layout", Layout.self, default: .perParameter)
    parameters = try request.parameters()
    outputs = try request.outputs()
    network = request.network
    if form == .factored && layout == .matrix {
      throw PlanError(
        place: "\(request.place).layout", reason: "factors have no layout \"matrix\"",
        remedy: "leave out layout, or ask for form \"dense\"")
    }
  }

  package var needs: Needs {
    var needs = Needs()
    needs.activations = Set(parameters.filter { $0.kind == .weights }.map { $0.layer - 1 })
    needs.localGradients = Needs.Sweep(
      outputs: outputs, layers: Set(parameters.map { $0.layer }))
    return needs
  }

  package var operationsPerSample: Double {
    form == .factored ? 0 : Double(outputs.count) * Double(columnCount)
  }

  /// How many columns the matrix has; the planner has checked that P does not overflow.
  private var columnCount: Int { parameters.reduce(0) { $0 + network.count(of: $1) } }

  /// The factors in order: δ_k, then a_{k−1} where W_k is asked for.
  private var factors: [Factor] {
    var factors: [Factor] = []
    for parameter in parameters {
      if factors.last?.layer != parameter.layer || factors.isEmpty {
        factors.append(Factor(layer: parameter.layer, hasInput: parameter.kind == .weights))
      }
    }
    return factors
  }

  private struct Factor {
    let layer: Int
    let hasInput: Bool
  }

  package func arrays(batch: Int) -> [ResultArray] {
    let folder = "parameter-jacobian"
    if layout == .matrix {
      return [
        ResultArray(
          gradient: Self.name, path: folder, shape: [batch, outputs.count, columnCount],
          axes: ["batch", "outputs", "parameters"], columns: parameters)
      ]
    }
    if form == .factored {
      return factors.flatMap { factor in
        let k = factor.layer
        let delta = ResultArray(
          gradient: Self.name, path: "\(folder)/delta\(k)",
          shape: [batch, outputs.count, network.width(k)],
          axes: ["batch", "outputs", "units of layer \(k)"])
        let input = ResultArray(
          gradient: Self.name, path: "\(folder)/a\(k - 1)", shape: [batch, network.width(k - 1)],
          axes: ["batch", k == 1 ? "inputs" : "units of layer \(k - 1)"])
        return factor.hasInput ? [delta, input] : [delta]
      }
    }
    return parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "\(folder)/\(parameter)",
        shape: [batch, outputs.count] + network.shape(of: parameter),
        axes: ["batch", "outputs"] + parameter.axes)
    }
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    switch (form, layout) {
    case (.factored, _): try writeFactors(block, into: &work)
    case (.dense, .matrix): try writeMatrix(block, into: &work)
    case (.dense, .perParameter): try writeParameters(block, into: &work)
    }
  }

  private func writeFactors<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    var array = 0
    for factor in factors {
      let k = factor.layer
      try work.writeRows(
        block.localGradients(k), of: outputs, width: network.width(k), in: block, array: array)
      array += 1
      guard factor.hasInput else { continue }
      try work.writer.write(
        block.activations(k - 1), array: array,
        at: block.samples.lowerBound * network.width(k - 1))
      array += 1
    }
  }

  private func writeParameters<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    for (array, parameter) in parameters.enumerated() {
      let k = parameter.layer
      if parameter.kind == .biases {
        try work.writeRows(
          block.localGradients(k), of: outputs, width: network.width(k), in: block, array: array)
        continue
      }
      var stream = work.stream(
        array: array,
        at: block.samples.lowerBound * outputs.count * network.count(of: parameter))
      for sample in 0..<block.samples.count {
        for output in outputs {
          try stream.append(
            parameter, of: network, sample: sample, row: block.row(of: output),
            delta: block.localGradients(k), input: block.activations(k - 1),
            rowsPerSample: block.rowsPerSample)
        }
      }
      try stream.finish()
    }
  }

  private func writeMatrix<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    var stream = work.stream(
      array: 0, at: block.samples.lowerBound * outputs.count * columnCount)
    for sample in 0..<block.samples.count {
      for output in outputs {
        for parameter in parameters {
          let k = parameter.layer
          let delta = block.localGradients(k)
          try stream.append(
            parameter, of: network, sample: sample, row: block.row(of: output), delta: delta,
            input: parameter.kind == .weights ? block.activations(k - 1) : delta,
            rowsPerSample: block.rowsPerSample)
        }
      }
    }
    try stream.finish()
  }
}

extension Parameter {
  /// Names for the axes of this parameter's array.
  package var axes: [String] {
    kind == .weights ? ["rows of \(self)", "columns of \(self)"] : ["entries of \(self)"]
  }
}

extension TileStream {
  /// Appends row `row` of a sample's ∂/∂W_k = δ_k ⊗ a_{k−1}, row by row, or of its ∂/∂b_k = δ_k.
  ///
  /// `delta` is (samples, rowsPerSample, n_k), `input` is (samples, n_{k−1}).
  @_lifetime(self: copy self)
  @inline(__always)
  mutating func append(
    _ parameter: Parameter, of network: NetworkShape, sample: Int, row: Int, delta: Span<T>,
    input: Span<T>, rowsPerSample: Int
  ) throws {
    let height = network.width(parameter.layer)
    let width = network.width(parameter.layer - 1)
    let start = (sample * rowsPerSample + row) * height
    let d = delta.extracting(start..<start + height)
    if parameter.kind == .biases {
      try append(rows: 1, width: height) { _, columns, piece in
        copy(d.extracting(columns), to: &piece)
      }
    } else {
      let a = input.extracting(sample * width..<(sample + 1) * width)
      if try appendDirectly(d, times: a) { return }
      try append(rows: height, width: width) { rows, columns, piece in
        outerProduct(d.extracting(rows), a.extracting(columns), into: &piece)
      }
    }
  }
}

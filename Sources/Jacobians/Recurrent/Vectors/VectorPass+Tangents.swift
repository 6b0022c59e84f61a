// Forwards: tangents of parameters through time, and what becomes of J V.

extension VectorPass {
  /// Gathers V_k and c_k of all vectors, so that each layer takes one product for all of them.
  func keep(_ directions: ParameterVectors) {
    for k in 1...network.layers.count {
      for (kind, region) in [
        (Parameter.Kind.weights, layout.movedWeights[k - 1]), (.biases, layout.movedBiases[k - 1]),
      ] where region.count > 0 {
        let parameter = Parameter(kind: kind, layer: k)
        let count = network.count(of: parameter)
        var kept = workspace.mutable(region)
        for v in 0..<vectors {
          guard let (values, start) = directions.place(parameter, v, of: job.problem) else {
            continue
          }
          var own = kept._mutatingExtracting(v * count..<(v + 1) * count)
          copy(values.span.extracting(start..<start + count), to: &own)
        }
      }
    }
  }

  /// The tangents of all layers at the steps of a window.
  func move(
    _ trajectory: Trajectory<T>, _ window: Range<Int>, _ directions: ParameterVectors
  ) {
    let workspace = workspace
    let blas = job.products.blas
    // What V itself gives, for the whole window.
    for (k, layer) in network.layers.enumerated() {
      let width = vectors * layer.outputs
      var t = workspace.mutable(layout.rows[k].part(0..<window.count * width))
      let biases = layout.movedBiases[k]
      if biases.count > 0 { fillRows(&t, with: workspace.numbers(biases), rows: window.count) }
      if layout.movedWeights[k].count > 0 {
        blas.multiply(
          Matrix(
            workspace.numbers(trajectory.activations(k, window)), rows: window.count,
            columns: layer.inputs),
          Matrix(
            workspace.numbers(layout.movedWeights[k]), rows: width, columns: layer.inputs
          ).transposed, adding: biases.count > 0 ? 1 : 0, into: &t)
      }
    }
    let numbers = workspace.numbers(workspace.all)
    var places = workspace.mutable(workspace.all)
    let path = trajectory.layout
    var below = layout.state.offset
    var belowStride = units
    for place in 0..<window.count {
      let here = window.lowerBound + place..<window.lowerBound + place + 1
      for (k, layer) in network.layers.enumerated() {
        let start = layout.rows[k].offset + place * vectors * layer.outputs
        var t = places._mutatingExtracting(start..<start + vectors * layer.outputs)
        let isMoved = layout.movedWeights[k].count > 0 || layout.movedBiases[k].count > 0
        job.products.multiply(
          numbers, at: below, stride: belowStride, rows: vectors,
          depth: k == 0 ? units : layer.inputs, numbers, at: path.weights[k].offset,
          stride: TrajectoryLayout.weightStride(layer.outputs), width: layer.outputs,
          adding: isMoved, into: &t)
        layer.activation.pushForward(
          &t, slopes: workspace.numbers(trajectory.slopes(k + 1, here)), samples: 1,
          rowsPerSample: vectors, width: layer.outputs)
        below = start
        belowStride = layer.outputs
      }
      // r is the end of each row of z.
      below += outer
    }
    for v in 0..<vectors {
      let start = below + v * network.outputs
      var state = places._mutatingExtracting(
        layout.state.offset + v * units..<layout.state.offset + (v + 1) * units)
      copy(numbers.extracting(start..<start + units), to: &state)
    }
  }

  /// Where J V of a step in the window stands, for all outputs of one vector.
  private func tangent(_ place: Int, _ vector: Int) -> Range<Int> {
    let start =
      layout.rows[network.layers.count - 1].offset + (place * vectors + vector) * network.outputs
    return start..<start + outer
  }

  /// Keeps H J V of the window's steps that are asked for.
  func keepProducts(_ trajectory: Trajectory<T>, _ window: Range<Int>, length: Int) {
    let workspace = workspace
    let numbers = workspace.numbers(workspace.all)
    var kept = workspace.mutable(layout.products)
    for row in sweep.selection.rows(in: window, length: length) {
      let step = sweep.selection.step(at: row, length: length)
      do {
        var p = workspace.mutable(layout.probabilities)
        let z = workspace.numbers(
          trajectory.activations(network.layers.count, step..<step + 1))
        sweep.loss.fillProbabilities(&p, outputs: z.extracting(0..<outer), width: outer)
      }
      for v in 0..<vectors {
        let start = (row * vectors + v) * outer
        var u = kept._mutatingExtracting(start..<start + outer)
        copy(numbers.extracting(tangent(step - window.lowerBound, v)), to: &u)
        sweep.loss.multiply(
          &u, probabilities: workspace.numbers(layout.probabilities), outputs: sweep.outputs,
          samples: 1, width: outer)
      }
    }
  }

  /// Writes J V of the window's steps that are asked for.
  func write(_ trajectory: Trajectory<T>, _ window: Range<Int>, length: Int) throws {
    let axis = sweep.selection.rows(in: window, length: length)
    guard !axis.isEmpty else { return }
    let workspace = workspace
    let numbers = workspace.numbers(workspace.all)
    let outputs = sweep.outputs
    let rows = sweep.selection.count(of: job.problem.shape.steps)
    for v in 0..<vectors {
      var stream = TileStream(
        workspace.mutable(layout.stream), writer: writer, array: 0,
        at: ((trajectory.sequence * vectors + v) * rows + axis.lowerBound) * outputs.count)
      for row in axis {
        let step = sweep.selection.step(at: row, length: length)
        let own = numbers.extracting(tangent(step - window.lowerBound, v))
        try stream.append(rows: 1, width: outputs.count) { _, columns, piece in
          for (i, column) in columns.enumerated() { piece[i] = own[outputs[column]] }
        }
      }
      try stream.finish()
    }
  }

  /// Zeros where J V has rows for steps that the sequence does not have.
  func writeRest(_ trajectory: Trajectory<T>, length: Int) throws {
    let rows = sweep.selection.count(of: job.problem.shape.steps)
    let done = sweep.selection.rows(in: 0..<length, length: length).count
    for v in 0..<vectors {
      try writeZeros(
        rows: rows - done, width: sweep.outputs.count, array: 0,
        at: ((trajectory.sequence * vectors + v) * rows + done) * sweep.outputs.count,
        writer: writer, through: workspace, layout.stream)
    }
  }
}

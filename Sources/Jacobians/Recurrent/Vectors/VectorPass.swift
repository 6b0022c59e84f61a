/// Computes products of vectors with one sequence's J: tangents forwards through time, rows backwards, or both.
///
///     t_k(n) = V_k a_{k−1}(n) + c_k + W_k r_{k−1}(n),   r_k(n) = ∂φ_k/∂v_k t_k(n),   r_0(n) = (0, ∂r(n−1)/∂w V),   J V(n) = Γ_y r_L(n)
///
/// Pearlmutter 1994. Backwards it is backpropagation through time of K rows, u(n) joining at each step.
struct VectorPass<T: Scalar> {
  let layout: VectorLayout
  let job: RecurrentJob<T>
  let writer: ResultWriter
  let workspace: Workspace<T>

  private var network: NetworkShape { layout.network }
  private var sweep: VectorSweep { layout.sweep }
  private var vectors: Int { layout.sweep.count }
  private var units: Int { layout.recurrence.units }
  private var outer: Int { layout.network.outerOutputs(layout.recurrence) }

  /// One sequence; what is pulled back is left in `layout.sums`, J V is written.
  func run(_ trajectory: inout Trajectory<T>, length: Int) throws {
    let end = sweep.selection.end(length: length)
    let windows = stride(from: 0, to: end, by: layout.window).map {
      $0..<min($0 + layout.window, end)
    }
    clearState()
    if let directions = sweep.directions { keep(directions) }
    for window in windows {
      try job.checkCancellation()
      var clock = ContinuousClock.now
      trajectory.advance(over: window)
      job.spent(.forward, since: clock)
      guard let directions = sweep.directions else { continue }
      clock = .now
      move(trajectory, window, directions)
      job.spent(.backward, since: clock)
      clock = .now
      if sweep.isPulledBack {
        keepProducts(trajectory, window, length: length)
      } else {
        try write(trajectory, window, length: length)
      }
      job.spent(.contraction, since: clock)
      job.finished(1)
    }
    if sweep.isPulledBack {
      try pullBack(&trajectory, windows, length: length)
    } else {
      try writeRest(trajectory, length: length)
    }
  }

  private func clearState() {
    var state = workspace.mutable(layout.state)
    for i in state.indices { state[i] = 0 }
  }

  /// Gathers V_k and c_k of all vectors, so that each layer takes one product for all of them.
  private func keep(_ directions: ParameterVectors) {
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
  private func move(
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
  private func keepProducts(_ trajectory: Trajectory<T>, _ window: Range<Int>, length: Int) {
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
  private func write(_ trajectory: Trajectory<T>, _ window: Range<Int>, length: Int) throws {
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
  private func writeRest(_ trajectory: Trajectory<T>, length: Int) throws {
    let rows = sweep.selection.count(of: job.problem.shape.steps)
    let done = sweep.selection.rows(in: 0..<length, length: length).count
    for v in 0..<vectors {
      try writeZeros(
        rows: rows - done, width: sweep.outputs.count, array: 0,
        at: ((trajectory.sequence * vectors + v) * rows + done) * sweep.outputs.count,
        writer: writer, through: workspace, layout.stream)
    }
  }

  /// Pulls u, or H J V, back from the last step to the first, and contracts the rows with the activities.
  private func pullBack(
    _ trajectory: inout Trajectory<T>, _ windows: [Range<Int>], length: Int
  ) throws {
    clearState()
    keepStateWeights()
    var isFirst = true
    for window in windows.reversed() {
      try job.checkCancellation()
      var clock = ContinuousClock.now
      trajectory.restore(window)
      job.spent(.forward, since: clock)
      clock = .now
      pullBack(trajectory, window, length: length)
      job.spent(.backward, since: clock)
      clock = .now
      contract(trajectory, window, adding: !isFirst)
      job.spent(.contraction, since: clock)
      isFirst = false
      job.finished(1)
    }
    if isFirst {
      var sums = workspace.mutable(layout.sums)
      for i in sums.indices { sums[i] = 0 }
    }
  }

  private func keepStateWeights() {
    let original = job.problem.network.weights[0]
    let first = network.inputs - units
    let stride = TrajectoryLayout.weightStride(units)
    var weights = workspace.mutable(layout.weights)
    for j in 0..<network.width(1) {
      let start = j * network.inputs + first
      var row = weights._mutatingExtracting(j * stride..<j * stride + units)
      copy(original.span.extracting(start..<start + units), to: &row)
    }
  }

  private func pullBack(_ trajectory: Trajectory<T>, _ window: Range<Int>, length: Int) {
    let workspace = workspace
    let numbers = workspace.numbers(workspace.all)
    var places = workspace.mutable(workspace.all)
    let last = network.layers.count
    for place in (0..<window.count).reversed() {
      let step = window.lowerBound + place
      let here = step..<step + 1
      let top = layout.rows[last - 1].offset + place * vectors * network.outputs
      do {
        var rows = places._mutatingExtracting(top..<top + vectors * network.outputs)
        start(
          &rows, at: sweep.selection.rows(in: here, length: length).first,
          sequence: trajectory.sequence, kept: workspace.numbers(layout.products))
        for v in 0..<vectors {
          for i in 0..<units {
            rows[v * network.outputs + outer + i] = numbers[layout.state.offset + v * units + i]
          }
        }
      }
      for k in Swift.stride(from: last, to: 0, by: -1) {
        let layer = network.layers[k - 1]
        let start = layout.rows[k - 1].offset + place * vectors * layer.outputs
        do {
          var rows = places._mutatingExtracting(start..<start + vectors * layer.outputs)
          layer.activation.pullBack(
            &rows, slopes: workspace.numbers(trajectory.slopes(k, here)), samples: 1,
            rowsPerSample: vectors, width: layer.outputs)
        }
        if k == 1 {
          var below = places._mutatingExtracting(layout.state.offset..<layout.state.end)
          job.products.multiply(
            numbers, at: start, stride: layer.outputs, rows: vectors, depth: layer.outputs, numbers,
            at: layout.weights.offset, stride: TrajectoryLayout.weightStride(units), width: units,
            adding: false, into: &below)
        } else {
          let target = layout.rows[k - 2].offset + place * vectors * layer.inputs
          var below = places._mutatingExtracting(target..<target + vectors * layer.inputs)
          let weights = job.problem.network.weights[k - 1]
          job.products.multiply(
            numbers, at: start, stride: layer.outputs, rows: vectors, depth: layer.outputs,
            weights.span, at: 0, stride: layer.inputs, width: layer.inputs, adding: false,
            into: &below)
        }
      }
    }
  }

  /// u of one step in the rows of z, zero where nothing is asked for.
  private func start(
    _ rows: inout MutableSpan<T>, at axisRow: Int?, sequence: Int, kept: Span<T>
  ) {
    for v in 0..<vectors {
      let first = v * network.outputs
      for o in 0..<outer { rows[first + o] = 0 }
      guard let axisRow else { continue }
      if let cotangents = sweep.cotangents {
        let values = cotangents.values(of: job.problem)
        let u = values.span
        let start = cotangents.start(sequence: sequence, vector: v, row: axisRow)
        for (r, o) in sweep.outputs.enumerated() { rows[first + o] = u[start + r] }
      } else {
        let start = (axisRow * vectors + v) * outer
        for o in 0..<outer { rows[first + o] = kept[start + o] }
      }
    }
  }

  /// Σ_n g_k(n) ⊗ a_{k−1}(n), or Σ_n g_k(n), of every vector, over the steps of a window.
  private func contract(_ trajectory: Trajectory<T>, _ window: Range<Int>, adding: Bool) {
    var start = 0
    for parameter in sweep.parameters {
      let k = parameter.layer
      let width = network.width(k)
      let count = network.count(of: parameter)
      let rows = workspace.numbers(layout.rows[k - 1].part(0..<window.count * vectors * width))
      for v in 0..<vectors {
        var sum = workspace.mutable(layout.sums.part(start..<start + count))
        start += count
        if parameter.kind == .weights {
          job.products.blas.multiply(
            Matrix(
              rows, at: v * width, rows: window.count, columns: width, stride: vectors * width
            ).transposed,
            Matrix(
              workspace.numbers(trajectory.activations(k - 1, window)), rows: window.count,
              columns: network.width(k - 1)), adding: adding ? 1 : 0, into: &sum)
        } else {
          if !adding { for i in sum.indices { sum[i] = 0 } }
          for row in 0..<window.count {
            let first = (row * vectors + v) * width
            let g = rows.extracting(first..<first + width)
            for i in g.indices { sum[i] += g[i] }
          }
        }
      }
    }
  }
}

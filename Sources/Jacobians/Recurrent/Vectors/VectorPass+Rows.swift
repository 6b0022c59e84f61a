// Backwards: rows u, or H J V, through time, and their contraction.

extension VectorPass {
  /// Pulls u, or H J V, back from the last step to the first, and contracts the rows with the activities.
  func pullBack(
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

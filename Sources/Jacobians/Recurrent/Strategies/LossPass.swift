/// Where the reverse sweep for ∂E/∂w of one sequence keeps its numbers.
struct LossLayout: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  let parameters: [Parameter]
  let isPerSample: Bool
  /// Steps of a window; with several, all but the last are computed twice.
  let window: Int
  let windows: Int
  let trajectory: TrajectoryLayout
  /// uᵀ∂z/∂v_k summed over later steps, (window, n_k), at index k − 1.
  let rows: [Region]
  /// The row with respect to r.
  let state: Region
  /// W_1r, (n_1, R), without the columns of x; the steps multiply by it, rows are `weightStride` apart.
  let weights: Region
  /// ∂E/∂ each parameter, one after another.
  let sums: Region
  let count: Int
  let hasOverflowed: Bool

  /// Numbers of a window, unless a step has more: what the second-level cache or little more holds.
  static let mostNumbers = 1 << 19

  init(
    network: NetworkShape, recurrence: Recurrence, shape: SequenceShape, parameters: [Parameter],
    isPerSample: Bool, dtype: ScalarType, mostBytes: Int? = nil
  ) {
    let perStep = network.layers.reduce(network.inputs) { $0 + 3 * $1.outputs }
    // Windows and checkpoints together are least at √T, but a window may always be as large as this.
    let root = max(1, Int(Double(shape.steps).squareRoot()))
    var window = max(LossLayout.mostNumbers / max(1, perStep), root)
    self.init(
      network, recurrence, shape, parameters: parameters, isPerSample: isPerSample, window: window)
    // Less memory makes windows smaller; below √T the checkpoints would outgrow them.
    while let mostBytes, count > mostBytes / dtype.byteCount, window > root {
      window = max(root, window / 2)
      self.init(
        network, recurrence, shape, parameters: parameters, isPerSample: isPerSample,
        window: window)
    }
  }

  private init(
    _ network: NetworkShape, _ recurrence: Recurrence, _ shape: SequenceShape,
    parameters: [Parameter], isPerSample: Bool, window most: Int
  ) {
    self.network = network
    self.recurrence = recurrence
    self.parameters = parameters
    self.isPerSample = isPerSample
    let window = max(1, min(shape.steps, most))
    self.window = window
    windows = (max(1, shape.steps) - 1) / window + 1
    var layout = ScratchLayout()
    trajectory = TrajectoryLayout(
      network, recurrence, window: window, windows: windows, isPulledBack: true, in: &layout)
    rows = (1...network.layers.count).map {
      layout.add("G\($0)", rows: window, columns: network.width($0))
    }
    state = layout.add("row of r", rows: 1, columns: recurrence.units)
    weights = layout.add(
      "W1r", rows: network.width(1), columns: TrajectoryLayout.weightStride(recurrence.units))
    sums = layout.add(
      "sums", rows: 1, columns: parameters.reduce(0) { $0 + network.count(of: $1) })
    count = layout.count
    hasOverflowed = layout.hasOverflowed
  }

  /// What a sweep needs to go on before a window.
  var kept: [Region] { [state, sums] }

  /// Operations of one step: forward, again if there are several windows, back, and contraction.
  static func operationsPerStep(_ layout: LossLayout) -> Double {
    let forward = TrajectoryLayout.operationsPerStep(layout.network)
    return forward * (layout.windows > 1 ? 3 : 2)
      + 2 * layout.parameters.reduce(0) { $0 + Double(layout.network.count(of: $1)) }
  }
}

/// ∂E/∂w of one sequence: one row pulled back from the last step to the first, u(n) = y(n) − d(n) joining at each.
struct LossPass<T: Scalar> {
  let layout: LossLayout
  let job: RecurrentJob<T>
  let workspace: Workspace<T>

  /// Leaves ∂E/∂w in `layout.sums`; with checkpoints, windows before the last are computed again.
  func run(_ trajectory: inout Trajectory<T>, length: Int, progress: PassProgress<T>) throws {
    let windows = stride(from: 0, to: length, by: layout.window).map {
      $0..<min($0 + layout.window, length)
    }
    var clock = ContinuousClock.now
    for window in windows {
      try job.checkCancellation()
      trajectory.advance(over: window)
    }
    job.spent(.forward, since: clock)
    do {
      var state = workspace.mutable(layout.state)
      for i in state.indices { state[i] = 0 }
      let network = layout.network
      let outer = network.outerInputs(layout.recurrence)
      let units = layout.recurrence.units
      let original = job.problem.network.weights[0]
      var weights = workspace.mutable(layout.weights)
      for j in 0..<network.width(1) {
        let start = j * network.inputs + outer
        let own = j * TrajectoryLayout.weightStride(units)
        var row = weights._mutatingExtracting(own..<own + units)
        copy(original.span.extracting(start..<start + units), to: &row)
      }
    }
    if progress.begunAt > 0 { try progress.restore(layout.kept, in: workspace) }
    var isFirst = progress.begunAt == 0
    for (number, window) in windows.reversed().enumerated().dropFirst(progress.begunAt) {
      try progress.reached(number, Numerics(), state: layout.kept, in: workspace)
      try job.checkCancellation()
      clock = .now
      trajectory.restore(window)
      job.spent(.forward, since: clock)
      clock = .now
      pullBack(trajectory, window)
      job.spent(.backward, since: clock)
      clock = .now
      contract(trajectory, window, adding: !isFirst)
      job.spent(.contraction, since: clock)
      isFirst = false
      job.finished(1)
    }
  }

  private func pullBack(_ trajectory: Trajectory<T>, _ window: Range<Int>) {
    guard let targets = job.problem.targets else { return }
    let network = layout.network
    let last = network.layers.count
    let units = layout.recurrence.units
    let m = network.outerOutputs(layout.recurrence)
    let d = targets.span
    let products = job.products
    let workspace = workspace
    let numbers = workspace.numbers(workspace.all)
    var places = workspace.mutable(workspace.all)
    let rows = layout.rows
    let path = trajectory.layout
    let firstTarget = (trajectory.sequence * job.problem.shape.steps + window.lowerBound) * m
    for place in (0..<window.count).reversed() {
      let top = rows[last - 1].offset + place * network.outputs
      let z = path.activations[last].offset + place * network.outputs
      do {
        var row = places._mutatingExtracting(top..<top + network.outputs)
        let own = d.extracting(firstTarget + place * m..<firstTarget + (place + 1) * m)
        let y = numbers.extracting(z..<z + m)
        for o in 0..<m { row[o] = y[o] - own[o] }
        let state = numbers.extracting(layout.state.offset..<layout.state.end)
        for i in 0..<units { row[m + i] = state[i] }
      }
      for k in Swift.stride(from: last, to: 0, by: -1) {
        let layer = network.layers[k - 1]
        let start = rows[k - 1].offset + place * layer.outputs
        let slopeRegion = path.slopes[k - 1]
        if slopeRegion.count > 0 {
          var row = places._mutatingExtracting(start..<start + layer.outputs)
          let slope = slopeRegion.offset + place * layer.outputs
          let slopes = numbers.extracting(slope..<slope + layer.outputs)
          if layer.activation.isElementwise {
            for i in slopes.indices { row[i] *= slopes[i] }
          } else {
            layer.activation.pullBack(
              &row, slopes: slopes, samples: 1, rowsPerSample: 1, width: layer.outputs)
          }
        }
        if k == 1 {
          var below = places._mutatingExtracting(layout.state.offset..<layout.state.end)
          products.multiply(
            numbers, at: start, stride: layer.outputs, rows: 1, depth: layer.outputs, numbers,
            at: layout.weights.offset, stride: TrajectoryLayout.weightStride(units), width: units,
            adding: false, into: &below)
        } else {
          let target = rows[k - 2].offset + place * layer.inputs
          var below = places._mutatingExtracting(target..<target + layer.inputs)
          let weights = job.problem.network.weights[k - 1]
          products.multiply(
            numbers, at: start, stride: layer.outputs, rows: 1, depth: layer.outputs, weights.span,
            at: 0, stride: layer.inputs, width: layer.inputs, adding: false, into: &below)
        }
      }
    }
  }

  private func contract(_ trajectory: Trajectory<T>, _ window: Range<Int>, adding: Bool) {
    let network = layout.network
    var start = 0
    for parameter in layout.parameters {
      let k = parameter.layer
      let count = network.count(of: parameter)
      var sum = workspace.mutable(layout.sums.part(start..<start + count))
      start += count
      let rows = workspace.numbers(
        layout.rows[k - 1].rows(0..<window.count, width: network.width(k)))
      if parameter.kind == .weights {
        job.products.blas.multiply(
          Matrix(rows, rows: window.count, columns: network.width(k)).transposed,
          Matrix(
            workspace.numbers(trajectory.activations(k - 1, window)), rows: window.count,
            columns: network.width(k - 1)), adding: adding ? 1 : 0, into: &sum)
      } else {
        if !adding { for i in sum.indices { sum[i] = 0 } }
        for row in 0..<window.count {
          let g = rows.extracting(row * count..<(row + 1) * count)
          for i in g.indices { sum[i] += g[i] }
        }
      }
    }
  }
}

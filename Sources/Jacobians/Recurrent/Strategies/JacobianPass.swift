/// Computes ∂z(n)/∂w of one sequence as its layout says, and writes it.
struct JacobianPass<T: Scalar>: Sendable {
  let layout: JacobianLayout
  let job: RecurrentJob<T>
  let target: JacobianTarget
  let writer: ResultWriter
  let team: Team
  let workspace: Workspace<T>
  let slots: [Workspace<T>]
  /// Who takes the rows, if they are not written.
  var consumer: RowConsumer<T>?

  private var sweep: RowSweep<T> {
    RowSweep(
      network: layout.network, recurrence: layout.recurrence, weights: job.problem.network.weights,
      products: job.products, isReduced: layout.isReduced)
  }

  /// One sequence from beginning to end.
  func run(_ trajectory: inout Trajectory<T>, length: Int) throws {
    let end = layout.selection.end(length: length)
    consumer?.begin(trajectory.sequence)
    if layout.carries {
      try carryForwards(&trajectory, length: length, end: end)
    } else {
      try goBack(&trajectory, length: length, end: end)
    }
    if let consumer {
      try consumer.end(trajectory.sequence, length: length)
      return
    }
    try target.writeRest(
      of: trajectory.sequence, from: layout.selection.rows(in: 0..<length, length: length).count,
      writer: writer, slot: slots[0], outputs: layout.outputs.count)
  }

  /// Windows in the order of time, S carried over their edges.
  private func carryForwards(_ trajectory: inout Trajectory<T>, length: Int, end: Int) throws {
    var edge: Int?
    for window in windows(to: end) {
      try job.checkCancellation()
      if !trajectory.steps.contains(window.lowerBound) {
        let ahead = window.lowerBound..<min(end, window.lowerBound + layout.trajectory.window)
        let clock = ContinuousClock.now
        trajectory.advance(over: ahead)
        consumer?.passed(trajectory, ahead, length: length)
        job.spent(.forward, since: clock)
      }
      var groups = RowGroup.cut(
        rows: layout.selection.rows(in: window, length: length), of: layout.selection,
        length: length, outputs: layout.outputs, most: layout.groupRows)
      if window.upperBound < end {
        groups += RowGroup.carried(
          layout.recurrence, of: layout.network, at: window.upperBound - 1, most: layout.groupRows)
      }
      var first = 0
      while first < groups.count {
        let some = Array(groups[first..<min(first + layout.groupsAtOnce, groups.count)])
        try pull(some, through: window, of: trajectory)
        try contract(some, over: window, of: trajectory, edge: edge, isFirst: true, isLast: true)
        try consumed(some, of: trajectory.sequence)
        first += some.count
      }
      edge = 1 - (edge ?? 1)
      job.finished(1)
    }
  }

  /// All rows back to the first step, windows against the order of time.
  private func goBack(_ trajectory: inout Trajectory<T>, length: Int, end: Int) throws {
    let windows = windows(to: end)
    for window in windows {
      try job.checkCancellation()
      let clock = ContinuousClock.now
      trajectory.advance(over: window)
      consumer?.passed(trajectory, window, length: length)
      job.spent(.forward, since: clock)
    }
    let groups = RowGroup.cut(
      rows: layout.selection.rows(in: 0..<end, length: length), of: layout.selection,
      length: length, outputs: layout.outputs, most: layout.groupRows)
    var first = 0
    while first < groups.count {
      let some = Array(groups[first..<min(first + layout.groupsAtOnce, groups.count)])
      let lastStep = some.reduce(-1) { max($0, $1.lastStep) }
      var isFirst = true
      for window in windows.reversed() where window.lowerBound <= lastStep {
        try job.checkCancellation()
        let clock = ContinuousClock.now
        trajectory.restore(window)
        job.spent(.forward, since: clock)
        try pull(some, through: window, of: trajectory)
        try contract(
          some, over: window, of: trajectory, edge: nil, isFirst: isFirst,
          isLast: window.lowerBound == 0)
        isFirst = false
      }
      try consumed(some, of: trajectory.sequence)
      first += some.count
      job.finished(some.count)
    }
  }

  /// Hands rows that are finished to who takes them.
  private func consumed(_ groups: [RowGroup], of sequence: Int) throws {
    guard let consumer else { return }
    let clock = ContinuousClock.now
    try consumer.take(groups.filter { !$0.isCarried }, of: sequence)
    job.spent(.contraction, since: clock)
  }

  private func windows(to end: Int) -> [Range<Int>] {
    stride(from: 0, to: end, by: layout.window).map { $0..<min($0 + layout.window, end) }
  }

  private func pull(
    _ groups: [RowGroup], through window: Range<Int>, of trajectory: Trajectory<T>
  ) throws {
    let clock = ContinuousClock.now
    let sweep = sweep
    let shared = TrajectoryView(trajectory)
    try team.share(groups.count) { part, _ in
      // Rows of later steps go further back: the longest work first, so that threads end together.
      let g = groups.count - 1 - part
      sweep.pull(
        groups[g], through: window, of: shared.trajectory, in: workspace, regions: layout.groups[g])
    }
    job.spent(.backward, since: clock)
  }

  private func contract(
    _ groups: [RowGroup], over window: Range<Int>, of trajectory: Trajectory<T>, edge: Int?,
    isFirst: Bool, isLast: Bool
  ) throws {
    let clock = ContinuousClock.now
    let bundles = layout.bundles.count
    let shared = TrajectoryView(trajectory)
    try team.share(groups.count * bundles) { fromLast, member in
      let part = groups.count * bundles - 1 - fromLast
      let g = part / bundles
      let group = groups[g]
      let bundle = layout.bundles[part % bundles]
      let slot = slots[member]
      let home = group.isCarried || !layout.sums.isEmpty ? workspace : slot
      for t in bundle {
        let tile = layout.tiles[t]
        if tile.isDirect {
          if !group.isCarried {
            keepOwn(group, tile, over: window, of: shared.trajectory, into: home, regions(t, g))
          }
          continue
        }
        let place: TileRegions
        if group.isCarried {
          place = layout.carried[1 - (edge ?? 1)][t].rows(
            group.firstRow..<group.firstRow + group.rowCount, of: tile)
        } else {
          place = regions(t, g).rows(0..<group.rowCount, of: tile)
        }
        contract(
          group, g, tile, t, over: window, of: shared.trajectory, edge: edge, adds: !isFirst,
          into: home, place.weights, place.biases)
      }
      if isLast, !group.isCarried {
        try target.write(
          group, bundle: part % bundles, of: shared.trajectory.sequence, from: home,
          regions: { regions($0, g) }, writer: writer, slot: slot)
      }
    }
    job.spent(.contraction, since: clock)
  }

  /// Where the target rows of group g are, of one tile.
  private func regions(_ t: Int, _ g: Int) -> TileRegions {
    layout.sums.isEmpty ? layout.places[t] : layout.sums[g][t]
  }

  /// ∂y_o(n)/∂W_L[o, :] = φ'_L a_{L−1}(n)ᵀ and ∂y_o(n)/∂b_L[o] = φ'_L, for rows whose step is in the window.
  private func keepOwn(
    _ group: RowGroup, _ tile: ColumnTile, over window: Range<Int>, of trajectory: Trajectory<T>,
    into home: Workspace<T>, _ place: TileRegions
  ) {
    var weights = home.mutable(place.weights)
    var biases = home.mutable(place.biases)
    for segment in group.segments where window.contains(segment.step) {
      let here = segment.step..<segment.step + 1
      let slopes = trajectory.workspace.numbers(trajectory.slopes(tile.layer, here))
      let inputs = trajectory.workspace.numbers(trajectory.activations(tile.layer - 1, here))
      for row in segment.rows {
        let o = group.outputs[segment.firstOutput + row - segment.rows.lowerBound]
        let factor = !tile.units.contains(o) ? 0 : slopes.isEmpty ? 1 : slopes[o]
        for i in 0..<tile.inputs { weights[row * tile.inputs + i] = factor * inputs[i] }
        if tile.hasBiases { biases[row] = factor }
      }
    }
  }

  /// rows ← Λ(n, edge) S(edge) + Σ_m G(n, m) ⊗ a(m), for one tile.
  private func contract(
    _ group: RowGroup, _ g: Int, _ tile: ColumnTile, _ t: Int, over window: Range<Int>,
    of trajectory: Trajectory<T>, edge: Int?, adds: Bool, into home: Workspace<T>,
    _ weightRegion: Region, _ biasRegion: Region
  ) {
    let blas = job.products.blas
    let rowCount = group.rowCount
    let units = layout.recurrence.units
    let kept = RowSweep<T>.kept(
      tile.layer, of: layout.network, layout.recurrence, isReduced: layout.isReduced)
    let first = tile.units.lowerBound - kept.lowerBound
    let isWhole = tile.units.count == kept.count
    var weights = home.mutable(weightRegion)
    var biases = home.mutable(biasRegion)
    let isAdded = edge != nil || adds
    if let edge {
      let states = Matrix(
        workspace.numbers(layout.groups[g].states.rows(0..<rowCount, width: units)),
        rows: rowCount, columns: units)
      let carried = layout.carried[edge][t]
      if tile.inputs > 0 {
        blas.multiply(
          states,
          Matrix(workspace.numbers(carried.weights), rows: units, columns: tile.weightColumns),
          into: &weights)
      }
      if tile.hasBiases {
        blas.multiply(
          states,
          Matrix(workspace.numbers(carried.biases), rows: units, columns: tile.biasColumns),
          into: &biases)
      }
    } else if !adds, !group.segments.allSatisfy({ window.contains($0.step) }) {
      for i in weights.indices { weights[i] = 0 }
      for i in biases.indices { biases[i] = 0 }
    }
    let isCleared = isAdded || !group.segments.allSatisfy { window.contains($0.step) }
    let fields = workspace.numbers(
      layout.groups[g].fields[tile.layer - 1].part(
        0..<window.count * rowCount * kept.count))
    let inputs = trajectory.workspace.numbers(trajectory.activations(tile.layer - 1, window))
    let inputWidth = layout.network.width(tile.layer - 1)
    // Consecutive steps share a product until it is large enough; rows are zero at later steps than their own.
    var s = 0
    while s < group.segments.count {
      var rows = group.segments[s].rows
      var step = group.segments[s].step
      s += 1
      while s < group.segments.count, rows.count * tile.units.count < JacobianPass.enoughRows {
        rows = rows.lowerBound..<group.segments[s].rows.upperBound
        step = group.segments[s].step
        s += 1
      }
      guard step >= window.lowerBound else { continue }
      let depth = min(step + 1, window.upperBound) - window.lowerBound
      if tile.inputs > 0 {
        let a = Matrix(inputs, rows: depth, columns: inputWidth)
        if isWhole {
          var place = weights._mutatingExtracting(
            rows.lowerBound * tile.weightColumns..<rows.upperBound * tile.weightColumns)
          blas.multiply(
            Matrix(
              fields, at: rows.lowerBound * kept.count, rows: depth,
              columns: rows.count * kept.count, stride: rowCount * kept.count
            ).transposed, a, adding: isCleared ? 1 : 0, into: &place)
        } else {
          for row in rows {
            var place = weights._mutatingExtracting(
              row * tile.weightColumns..<(row + 1) * tile.weightColumns)
            blas.multiply(
              Matrix(
                fields, at: row * kept.count + first, rows: depth, columns: tile.units.count,
                stride: rowCount * kept.count
              ).transposed, a, adding: isCleared ? 1 : 0, into: &place)
          }
        }
      }
      if tile.hasBiases {
        for row in rows {
          var place = biases._mutatingExtracting(
            row * tile.units.count..<(row + 1) * tile.units.count)
          if !isCleared { for i in place.indices { place[i] = 0 } }
          for m in 0..<depth {
            let start = (m * rowCount + row) * kept.count + first
            let g = fields.extracting(start..<start + tile.units.count)
            for i in g.indices { place[i] += g[i] }
          }
        }
      }
    }
  }

  /// Rows of a product that make it worth a call of its own.
  private static var enoughRows: Int { 128 }
}

/// A trajectory whose window stands still while threads read it.
struct TrajectoryView<T: Scalar>: Sendable {
  let trajectory: Trajectory<T>
  init(_ trajectory: Trajectory<T>) { self.trajectory = trajectory }
}

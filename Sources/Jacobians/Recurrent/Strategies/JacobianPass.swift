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
        try pass(some, over: window, of: trajectory, edge: edge, isFirst: true, isLast: true)
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
        try pass(
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

  /// Pulls groups of rows back through a window and contracts them there.
  ///
  /// One queue for both, so that nobody waits for the slowest: a group's contraction waits for its own rows alone.
  private func pass(
    _ groups: [RowGroup], over window: Range<Int>, of trajectory: Trajectory<T>, edge: Int?,
    isFirst: Bool, isLast: Bool
  ) throws {
    // Where results stand in memory a tile is stored at once; elsewhere tiles are written together.
    let isLent = isLent
    let pieces = isLent ? layout.tiles.indices.map { $0..<$0 + 1 } : layout.bundles
    let sweep = sweep
    let shared = TrajectoryView(trajectory)
    let pulled = groups.map { _ in Signal() }
    try team.share(groups.count * (1 + pieces.count)) { part, member in
      let clock = ContinuousClock.now
      // Rows of later steps go further back: the longest work first, so that threads end together.
      if part < groups.count {
        let g = groups.count - 1 - part
        sweep.pull(
          groups[g], through: window, of: shared.trajectory, in: workspace,
          regions: layout.groups[g])
        pulled[g].set()
        if member == 0 { job.spent(.backward, since: clock) }
        return
      }
      let (fromLast, piece) = (part - groups.count).quotientAndRemainder(dividingBy: pieces.count)
      let g = groups.count - 1 - fromLast
      pulled[g].wait()
      try contract(
        groups[g], g, pieces[piece], piece, isLent: isLent, over: window, of: shared.trajectory,
        edge: edge, isFirst: isFirst, isLast: isLast, slot: slots[member])
      if member == 0 { job.spent(.contraction, since: clock) }
    }
  }

  /// Contracts a group for some tiles, bundle `bundle` or a single one, and writes them after their last window.
  private func contract(
    _ group: RowGroup, _ g: Int, _ tiles: Range<Int>, _ bundle: Int, isLent: Bool,
    over window: Range<Int>, of trajectory: Trajectory<T>, edge: Int?, isFirst: Bool, isLast: Bool,
    slot: Workspace<T>
  ) throws {
    let home = group.isCarried || !layout.sums.isEmpty ? workspace : slot
    func regions(_ t: Int) -> TileRegions {
      if !layout.sums.isEmpty { return layout.sums[g][t] }
      return isLent ? layout.alone[t] : layout.places[t]
    }
    for t in tiles {
      let tile = layout.tiles[t]
      if !tile.isDirect {
        contract(
          group, g, tile, t, over: window, of: trajectory, edge: edge, adds: !isFirst, into: home,
          group.isCarried ? layout.carried[1 - (edge ?? 1)][t] : regions(t), slot)
      } else if !group.isCarried {
        keepOwn(group, tile, over: window, of: trajectory, into: home, regions(t))
      }
      if isLent, isLast, !group.isCarried {
        try target.store(
          group, tile: t, of: trajectory.sequence, from: home, regions(t), writer: writer,
          slot: slot)
      }
    }
    if !isLent, isLast, !group.isCarried {
      try target.write(
        group, bundle: bundle, of: trajectory.sequence, from: home, regions: regions,
        writer: writer, slot: slot)
    }
  }

  /// Whether the sink has memory for results.
  private var isLent: Bool {
    unsafe writer.sink.room(
      array: writer.firstArray, at: 0, byteCount: 0) != nil
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
  ///
  /// Of each unit u that is one product, [Λ, G_u] (rows × (R + steps)) with S_u below a: G_u differs from unit to unit,
  /// a does not. Target rows stand one after another, (rows, units, n_{k−1}), those of S unit after unit,
  /// (units, R, n_{k−1}), as such a product reads them.
  private func contract(
    _ group: RowGroup, _ g: Int, _ tile: ColumnTile, _ t: Int, over window: Range<Int>,
    of trajectory: Trajectory<T>, edge: Int?, adds: Bool, into home: Workspace<T>,
    _ place: TileRegions, _ slot: Workspace<T>
  ) {
    let panels = job.products.panels
    let rowCount = group.rowCount
    let units = layout.recurrence.units
    let kept = RowSweep<T>.kept(
      tile.layer, of: layout.network, layout.recurrence, isReduced: layout.isReduced)
    let first = tile.units.lowerBound - kept.lowerBound
    let fields = workspace.numbers(
      layout.groups[g].fields[tile.layer - 1].part(0..<window.count * rowCount * kept.count))
    let states = workspace.numbers(layout.groups[g].states.rows(0..<rowCount, width: units))
    let carried = edge.map { layout.carried[$0][t] }
    let panelCount = Panels.count(rowCount)
    // Rows go no further than their own step, a panel no further than its last row; of earlier steps G is zero.
    var depths = [Int](repeating: 0, count: panelCount)
    for segment in group.segments where segment.step >= window.lowerBound {
      let depth = min(segment.step + 1, window.upperBound) - window.lowerBound
      for p in segment.rows.lowerBound / Panels.rows...(segment.rows.upperBound - 1) / Panels.rows {
        depths[p] = max(depths[p], depth)
      }
    }
    if tile.inputs > 0 {
      let deepest = depths.max() ?? 0
      let stateDepths = [Int](repeating: carried == nil ? 0 : units, count: panelCount)
      let inputs = trajectory.workspace.numbers(
        trajectory.activations(tile.layer - 1, window))
      if carried != nil {
        var packed = slot.mutable(layout.statePanels)
        for p in 0..<panelCount {
          panels.pack(
            states, at: p * Panels.rows * units, stride: units,
            rows: min(Panels.rows, rowCount - p * Panels.rows), columns: units, into: &packed,
            at: p * units * Panels.rows, apart: Panels.rows)
        }
      }
      var weights = home.mutable(place.weights)
      let panelStride = deepest * Panels.rows
      let apart = panelCount * panelStride
      for firstUnit in stride(from: 0, to: tile.units.count, by: JacobianLayout.packedUnits) {
        let some = firstUnit..<min(firstUnit + JacobianLayout.packedUnits, tile.units.count)
        if deepest > 0 {
          var packed = slot.mutable(layout.fieldPanels)
          for p in 0..<panelCount {
            for m in 0..<depths[p] {
              panels.pack(
                fields, at: (m * rowCount + p * Panels.rows) * kept.count + first + firstUnit,
                stride: kept.count, rows: min(Panels.rows, rowCount - p * Panels.rows),
                columns: some.count, into: &packed, at: p * panelStride + m * Panels.rows,
                apart: apart, next: rowCount * kept.count)
            }
          }
        }
        let packedStates = slot.numbers(layout.statePanels)
        let packedFields = slot.numbers(layout.fieldPanels)
        for unit in some {
          let of = (unit - firstUnit) * apart
          let unitStart = unit * units * tile.inputs
          panels.multiply(
            rows: rowCount, width: tile.inputs,
            PanelFactors(
              panels: packedStates, panelStride: units * Panels.rows, depths: stateDepths.span,
              right: workspace.numbers(
                carried?.weights.part(unitStart..<unitStart + units * tile.inputs) ?? Region.none),
              stride: tile.inputs),
            PanelFactors(
              panels: packedFields.extracting(of..<of + apart), panelStride: panelStride,
              depths: depths.span, right: inputs, stride: tile.inputs), adding: adds,
            into: &weights,
            at: group.isCarried
              ? unitStart + group.firstRow * tile.inputs : unit * tile.inputs,
            stride: group.isCarried ? tile.inputs : tile.weightColumns)
        }
      }
    }
    if tile.hasBiases {
      let region =
        group.isCarried
        ? place.biases.rows(group.firstRow..<group.firstRow + rowCount, width: tile.biasColumns)
        : place.biases.rows(0..<rowCount, width: tile.biasColumns)
      var biases = home.mutable(region)
      if let carried {
        job.products.blas.multiply(
          Matrix(states, rows: rowCount, columns: units),
          Matrix(workspace.numbers(carried.biases), rows: units, columns: tile.biasColumns),
          into: &biases)
      } else if !adds {
        for i in biases.indices { biases[i] = 0 }
      }
      for row in 0..<rowCount {
        var sum = biases._mutatingExtracting(
          row * tile.biasColumns..<(row + 1) * tile.biasColumns)
        panels.addRows(
          fields, at: row * kept.count + first, stride: rowCount * kept.count,
          count: depths[row / Panels.rows], to: &sum)
      }
    }
  }
}

/// A trajectory whose window stands still while threads read it.
struct TrajectoryView<T: Scalar>: Sendable {
  let trajectory: Trajectory<T>
  init(_ trajectory: Trajectory<T>) { self.trajectory = trajectory }
}

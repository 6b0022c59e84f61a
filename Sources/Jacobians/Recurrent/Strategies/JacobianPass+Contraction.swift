/// What a group's rows of one layer are contracted from.
private struct Factors<T: Scalar>: ~Escapable {
  /// Λ, (rows, R).
  let states: Span<T>
  /// G of the layer, (steps, rows, width).
  let fields: Span<T>
  /// To which step of the window the rows of each panel go.
  let depths: Span<Int>
  /// S of the tile, if the window has steps before it.
  let carried: Region?
  /// a of the layer before, (steps, n_{k−1}).
  let inputs: Span<T>
  /// Whether what there is is added to.
  let adds: Bool
  let rows: Int
  /// Units that G is kept of, and the place of the tile's first among them.
  let width: Int
  let first: Int

  @_lifetime(copy states, copy fields, copy depths, copy inputs)
  init(
    states: Span<T>, fields: Span<T>, depths: Span<Int>, carried: Region?, inputs: Span<T>,
    adds: Bool, rows: Int, width: Int, first: Int
  ) {
    self.states = states
    self.fields = fields
    self.depths = depths
    self.carried = carried
    self.inputs = inputs
    self.adds = adds
    self.rows = rows
    self.width = width
    self.first = first
  }
}

extension JacobianPass {
  /// ∂y_o(n)/∂W_L[o, :] = φ'_L a_{L−1}(n)ᵀ and ∂y_o(n)/∂b_L[o] = φ'_L, for rows whose step is in the window.
  func keepOwn(
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
  /// (units, R, n_{k−1}), as such a product reads them. If it `storesWeights`, those of W go where results stand in
  /// memory: a store that misses the caches waits beside the operations of the next.
  func contract(
    _ group: RowGroup, _ g: Int, _ tile: ColumnTile, _ t: Int, over window: Range<Int>,
    of trajectory: Trajectory<T>, edge: Int?, adds: Bool, storesWeights: Bool,
    into home: Workspace<T>, _ place: TileRegions, _ slot: Workspace<T>
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
    let factors = Factors(
      states: states, fields: fields, depths: depths.span, carried: carried?.weights,
      inputs: tile.inputs == 0
        ? fields
        : trajectory.workspace.numbers(trajectory.activations(tile.layer - 1, window)),
      adds: adds, rows: rowCount, width: kept.count, first: first)
    if tile.inputs == 0 {
      // The biases alone.
    } else if storesWeights {
      target.lend(group, tile: t, of: trajectory.sequence, writer: writer) { weights, stride in
        contractWeights(
          factors, tile, into: &weights, at: 0, unit: tile.inputs, stride: stride, slot)
      }
    } else {
      var weights = home.mutable(place.weights)
      contractWeights(
        factors, tile, into: &weights, at: group.isCarried ? group.firstRow * tile.inputs : 0,
        unit: group.isCarried ? units * tile.inputs : tile.inputs,
        stride: group.isCarried ? tile.inputs : tile.weightColumns, slot)
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

  /// The columns of W of one tile: of each unit one product, whose rows are `stride` apart; the next unit's begin `unit` numbers on.
  private func contractWeights(
    _ factors: borrowing Factors<T>, _ tile: ColumnTile, into weights: inout MutableSpan<T>,
    at offset: Int, unit apartUnits: Int, stride: Int, _ slot: Workspace<T>
  ) {
    let panels = job.products.panels
    let (rowCount, units) = (factors.rows, layout.recurrence.units)
    let panelCount = Panels.count(rowCount)
    var deepest = 0
    for p in 0..<panelCount { deepest = max(deepest, factors.depths[p]) }
    let stateDepths = [Int](repeating: factors.carried == nil ? 0 : units, count: panelCount)
    if factors.carried != nil {
      var packed = slot.mutable(layout.statePanels)
      for p in 0..<panelCount {
        panels.pack(
          factors.states, at: p * Panels.rows * units, stride: units,
          rows: min(Panels.rows, rowCount - p * Panels.rows), columns: units, into: &packed,
          at: p * units * Panels.rows, apart: Panels.rows)
      }
    }
    let panelStride = deepest * Panels.rows
    let apart = panelCount * panelStride
    for firstUnit in Swift.stride(
      from: 0, to: tile.units.count, by: JacobianLayout.packedUnits)
    {
      let some = firstUnit..<min(firstUnit + JacobianLayout.packedUnits, tile.units.count)
      if deepest > 0 {
        var packed = slot.mutable(layout.fieldPanels)
        for p in 0..<panelCount {
          for m in 0..<factors.depths[p] {
            panels.pack(
              factors.fields,
              at: (m * rowCount + p * Panels.rows) * factors.width + factors.first + firstUnit,
              stride: factors.width, rows: min(Panels.rows, rowCount - p * Panels.rows),
              columns: some.count, into: &packed, at: p * panelStride + m * Panels.rows,
              apart: apart, next: rowCount * factors.width)
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
              factors.carried?.part(unitStart..<unitStart + units * tile.inputs) ?? Region.none),
            stride: tile.inputs),
          PanelFactors(
            panels: packedFields.extracting(of..<of + apart), panelStride: panelStride,
            depths: factors.depths, right: factors.inputs, stride: tile.inputs),
          adding: factors.adds, into: &weights, at: offset + unit * apartUnits, stride: stride)
      }
    }
  }
}

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
    let units = layout.recurrence.units
    let source = ContractedGroup(
      group, window: window, regions: layout.groups[g], carried: edge.map { layout.carried[$0][t] },
      adds: adds)
    if tile.inputs == 0 {
      // The biases alone.
    } else if storesWeights {
      target.lend(group, tile: t, of: trajectory.sequence, writer: writer) { weights, stride in
        contractWeights(
          source, tile, of: trajectory, into: &weights,
          ContractedPlace(offset: 0, unit: tile.inputs, row: stride), slot)
      }
    } else {
      var weights = home.mutable(place.weights)
      contractWeights(
        source, tile, of: trajectory, into: &weights,
        group.isCarried
          ? ContractedPlace(
            offset: group.firstRow * tile.inputs, unit: units * tile.inputs, row: tile.inputs)
          : ContractedPlace(offset: 0, unit: tile.inputs, row: tile.weightColumns), slot)
    }
    if tile.hasBiases {
      let first = group.isCarried ? group.firstRow : 0
      var biases = home.mutable(
        place.biases.rows(first..<first + group.rowCount, width: tile.biasColumns))
      contractBiases(source, tile, into: &biases)
    }
  }

  /// The columns of W of one tile.
  private func contractWeights(
    _ source: ContractedGroup, _ tile: ColumnTile, of trajectory: Trajectory<T>,
    into weights: inout MutableSpan<T>, _ place: ContractedPlace, _ slot: Workspace<T>
  ) {
    let inputs = trajectory.workspace.numbers(
      trajectory.activations(tile.layer - 1, source.window))
    switch source.regions.form {
    case .rows: contractRows(source, tile, inputs, into: &weights, place)
    case .panels: contractPanels(source, tile, inputs, into: &weights, place, slot)
    }
  }

  /// Of each unit one product of all rows, whose left factors stand in panels.
  private func contractPanels(
    _ source: ContractedGroup, _ tile: ColumnTile, _ inputs: Span<T>,
    into weights: inout MutableSpan<T>, _ place: ContractedPlace, _ slot: Workspace<T>
  ) {
    let panels = job.products.panels
    let units = layout.recurrence.units
    let kept = kept(tile)
    let panelCount = source.depths.count
    let stateDepths = [Int](
      repeating: source.carried == nil ? 0 : units, count: panelCount)
    if source.carried != nil {
      let states = workspace.numbers(source.regions.states)
      for p in 0..<panelCount {
        var packed = slot.mutable(
          layout.statePanels.rows(p * Panels.rows..<(p + 1) * Panels.rows, width: units))
        var none = slot.mutable(.none)
        var noSums = slot.mutable(.none)
        panels.spread(
          states, at: p * Panels.rows * units, stride: units, columns: units,
          slopes: states.extracting(0..<0), into: &packed, kept: &none, at: 0, apart: 0,
          sums: &noSums)
      }
    }
    let packedStates = slot.numbers(layout.statePanels)
    let fields = workspace.numbers(source.regions.fields[tile.layer - 1])
    let apart = source.regions.apart
    for unit in 0..<tile.units.count {
      let start = (tile.units.lowerBound - kept.lowerBound + unit) * apart
      let carried = unit * units * tile.inputs
      panels.multiply(
        rows: source.rowCount, width: tile.inputs,
        PanelFactors(
          panels: packedStates, panelStride: units * Panels.rows, depths: stateDepths.span,
          right: workspace.numbers(
            source.carried?.weights.part(carried..<carried + units * tile.inputs) ?? .none),
          stride: tile.inputs),
        PanelFactors(
          panels: fields.extracting(start..<fields.count), panelStride: kept.count * apart,
          depths: source.depths.span, right: inputs, stride: tile.inputs),
        adding: source.adds, into: &weights, at: place.offset + unit * place.unit,
        stride: place.row)
    }
  }

  /// Of each row one product of all units, G(n)ᵀ a: few rows would leave most of a panel empty.
  private func contractRows(
    _ source: ContractedGroup, _ tile: ColumnTile, _ inputs: Span<T>,
    into weights: inout MutableSpan<T>, _ place: ContractedPlace
  ) {
    precondition(source.carried == nil, "nothing is carried where groups have few rows")
    let kept = kept(tile)
    let fields = workspace.numbers(source.regions.fields[tile.layer - 1])
    let depth = source.depths.reduce(0, max)
    for row in 0..<source.rowCount {
      let start = place.offset + row * place.row
      var own = weights._mutatingExtracting(start..<start + tile.weightColumns)
      job.products.blas.multiply(
        Matrix(
          fields, at: row * kept.count + tile.units.lowerBound - kept.lowerBound, rows: depth,
          columns: tile.units.count, stride: source.laidOut * kept.count
        ).transposed,
        Matrix(inputs, rows: depth, columns: tile.inputs), adding: source.adds ? 1 : 0, into: &own)
    }
  }

  /// The columns of b of one tile: Λ(n, edge) S(edge) + Σ_m G(n, m).
  private func contractBiases(
    _ source: ContractedGroup, _ tile: ColumnTile, into biases: inout MutableSpan<T>
  ) {
    let units = layout.recurrence.units
    let kept = kept(tile)
    let (rowCount, columns) = (source.rowCount, tile.biasColumns)
    let first = tile.units.lowerBound - kept.lowerBound
    if let carried = source.carried {
      job.products.blas.multiply(
        Matrix(workspace.numbers(source.regions.states), rows: rowCount, columns: units),
        Matrix(workspace.numbers(carried.biases), rows: units, columns: columns), into: &biases)
    } else if !source.adds {
      for i in biases.indices { biases[i] = 0 }
    }
    switch source.regions.form {
    case .rows:
      let fields = workspace.numbers(source.regions.fields[tile.layer - 1])
      let depth = source.depths.reduce(0, max)
      for row in 0..<rowCount {
        var sum = biases._mutatingExtracting(row * columns..<(row + 1) * columns)
        job.products.panels.addRows(
          fields, at: row * kept.count + first, stride: source.laidOut * kept.count, count: depth,
          to: &sum)
      }
    case .panels:
      let sums = workspace.numbers(source.regions.sums[tile.layer - 1])
      for row in 0..<rowCount {
        let panel = (row / Panels.rows * kept.count + first) * Panels.rows + row % Panels.rows
        for u in 0..<columns { biases[row * columns + u] += sums[panel + u * Panels.rows] }
      }
    }
  }

  /// The units of a tile's layer that G is kept of.
  private func kept(_ tile: ColumnTile) -> Range<Int> {
    RowSweep<T>.kept(
      tile.layer, of: layout.network, layout.recurrence, isReduced: layout.isReduced)
  }
}

/// A group whose rows have been pulled back through a window, as they are contracted there.
private struct ContractedGroup {
  let window: Range<Int>
  let regions: GroupRegions
  /// S of the tile, if the window has steps before it.
  let carried: TileRegions?
  /// Whether what there is is added to.
  let adds: Bool
  /// The rows there are, and as a step's are laid out.
  let rowCount: Int
  let laidOut: Int
  /// To which step of the window the rows of each panel go; earlier ones of its rows have zeros in G there.
  let depths: [Int]

  init(
    _ group: RowGroup, window: Range<Int>, regions: GroupRegions, carried: TileRegions?, adds: Bool
  ) {
    self.window = window
    self.regions = regions
    self.carried = carried
    self.adds = adds
    rowCount = group.rowCount
    laidOut = regions.rowsLaidOut(of: rowCount)
    var depths = [Int](repeating: 0, count: Panels.count(rowCount))
    for segment in group.segments where segment.step >= window.lowerBound {
      let depth = min(segment.step + 1, window.upperBound) - window.lowerBound
      for p in segment.rows.lowerBound / Panels.rows...(segment.rows.upperBound - 1) / Panels.rows {
        depths[p] = max(depths[p], depth)
      }
    }
    self.depths = depths
  }
}

/// Where the rows of a tile go.
private struct ContractedPlace {
  /// The first number.
  let offset: Int
  /// How far a row's numbers of one unit are from those of the next.
  let unit: Int
  /// How far one row is from the next.
  let row: Int
}

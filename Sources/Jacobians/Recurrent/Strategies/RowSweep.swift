/// Pulls rows back through the steps of a window: Λ(n, m−1) = Λ(n, m) R(m), on the way G_k(n, m) = ∂z_o(n)/∂v_k(m).
///
/// R(m) is never formed: rows go through the layers of f one after another, all rows of a group in one product. Between
/// two products one pass over the rows, which are in cache, multiplies them by the slopes of their layer, puts them in
/// panels as the next product reads them, and keeps G_k and its sum over steps as the contraction reads those.
///
/// With an elementwise last layer, ∂z_o(n)/∂v_L(m) vanishes for m < n outside the units that are fed back; if
/// `isReduced`, only those are kept, and what z_o(n) owes to its own unit at step n is left to the contraction.
struct RowSweep<T: Scalar>: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  let weights: [Values<T>]
  let products: StepProducts
  let isReduced: Bool
  /// What rows of each layer are multiplied by, in strips of columns; see `PulledWeights`.
  let strips: [Region]

  /// The rows of a group that have been reached at a step.
  private struct Reached {
    /// m.
    let step: Int
    /// Its place in the window.
    let place: Int
    /// All rows of the group, those reached, which follow the others, and the rows of a step as they are laid out.
    let count: Int
    let rows: Range<Int>
    let laidOut: Int
    /// The rows of step m itself, the first of those reached, and the place of their output.
    let fresh: Range<Int>
    let freshOutput: Int

    /// The first panel that has any of them.
    var firstPanel: Int { rows.lowerBound / Panels.rows }
    /// Whole panels of rows, those that are not reached or not there beside the others.
    var whole: Range<Int> { firstPanel * Panels.rows..<laidOut }
  }

  /// How rows of one layer go on to the next.
  private struct Way {
    /// Whether by products of panels with strips of W_k.
    let isInPanels: Bool
    /// The units kept, for each panel.
    let depths: [Int]
    let noDepths: [Int]
  }

  /// The units of layer k (from 1) whose columns of G_k are kept.
  static func kept(
    _ k: Int, of network: NetworkShape, _ recurrence: Recurrence, isReduced: Bool
  ) -> Range<Int> {
    k == network.layers.count && isReduced
      ? network.outerOutputs(recurrence)..<network.outputs : 0..<network.width(k)
  }

  private func kept(_ k: Int) -> Range<Int> {
    RowSweep.kept(k, of: network, recurrence, isReduced: isReduced)
  }

  /// The columns of W_k that rows go on to.
  private func below(_ k: Int) -> Range<Int> { PulledWeights.columns(k, of: network, recurrence) }

  private func way(_ k: Int, _ group: RowGroup) -> Way {
    let panelCount = Panels.count(group.rowCount)
    return Way(
      isInPanels: products.panels.level > 0 && strips[k - 1].count > 0,
      depths: [Int](repeating: kept(k).count, count: panelCount),
      noDepths: [Int](repeating: 0, count: panelCount))
  }

  /// Pulls the rows of `group` from the end of `window` to its beginning; rows of later steps go on where Λ is.
  func pull(
    _ group: RowGroup, through window: Range<Int>, of trajectory: Trajectory<T>,
    in workspace: Workspace<T>, regions: GroupRegions
  ) {
    let rowCount = group.rowCount
    let laidOut = regions.rowsLaidOut(of: rowCount)
    let last = network.layers.count
    // Rows of segments[next...] have been reached.
    var next = group.segments.count
    while next > 0, group.segments[next - 1].step >= window.upperBound { next -= 1 }
    var first = next < group.segments.count ? group.segments[next].rows.lowerBound : rowCount
    clear(regions.states, width: recurrence.units, rows: 0..<first, in: workspace)
    clear(regions.states, width: recurrence.units, rows: rowCount..<laidOut, in: workspace)
    for region in regions.sums { clear(region, width: 1, rows: 0..<region.count, in: workspace) }
    let ways = (1...last).map { way($0, group) }
    for m in window.reversed() {
      var fresh = first..<first
      var freshOutput = 0
      if next > 0, group.segments[next - 1].step == m {
        next -= 1
        fresh = group.segments[next].rows
        freshOutput = group.segments[next].firstOutput
        first = fresh.lowerBound
      }
      if first == rowCount { continue }
      let reached = Reached(
        step: m, place: m - window.lowerBound, count: rowCount, rows: first..<rowCount,
        laidOut: laidOut, fresh: fresh, freshOutput: freshOutput)
      begin(reached, group, in: workspace, regions)
      for k in (1...last).reversed() {
        let source = finish(
          k, reached, group, of: trajectory, in: workspace, regions,
          isInPanels: ways[k - 1].isInPanels)
        goOn(from: source, k, reached, in: workspace, regions, ways[k - 1])
        let target = rows(k - 1, reached, regions)
        let width = below(k).count
        if k == last, isReduced {
          addOwn(reached, group, of: trajectory, to: target, width: width, in: workspace)
        }
        // Where W has numbers that are not finite, rows that owe nothing would not stay zero.
        clear(
          target, width: width, rows: reached.whole.lowerBound..<reached.rows.lowerBound,
          in: workspace)
      }
    }
  }

  /// Where rows of layer k go at the step reached; those of r for k = 0.
  private func rows(_ k: Int, _ reached: Reached, _ regions: GroupRegions) -> Region {
    if k == 0 { return regions.states }
    if regions.form == .rows, regions.fields[k - 1].count > 0 {
      let first = reached.place * reached.laidOut
      return regions.fields[k - 1].rows(first..<first + reached.laidOut, width: kept(k).count)
    }
    return k == network.layers.count ? regions.last : regions.spare[k & 1]
  }

  private func clear(
    _ region: Region, width: Int, rows: Range<Int>, in workspace: Workspace<T>
  ) {
    guard !rows.isEmpty else { return }
    var numbers = workspace.mutable(region.rows(rows, width: width))
    for i in numbers.indices { numbers[i] = 0 }
  }

  /// A one in Λ where rows of this step are rows of r themselves.
  private func begin(
    _ reached: Reached, _ group: RowGroup, in workspace: Workspace<T>, _ regions: GroupRegions
  ) {
    guard isReduced else { return }
    let fedBack = network.outerOutputs(recurrence)
    var states = workspace.mutable(regions.states)
    for (r, row) in reached.fresh.enumerated() {
      let o = group.outputs[reached.freshOutput + r]
      if o >= fedBack { states[row * recurrence.units + o - fedBack] = 1 }
    }
  }

  /// Multiplies rows of layer k by its slopes: G_k(n, m), kept where it is read, and in panels if the next product wants it so.
  ///
  /// Returns where its rows stand for a product that does not.
  private func finish(
    _ k: Int, _ reached: Reached, _ group: RowGroup, of trajectory: Trajectory<T>,
    in workspace: Workspace<T>, _ regions: GroupRegions, isInPanels: Bool
  ) -> Region {
    let kept = kept(k)
    let width = kept.count
    let activation = network.layers[k - 1].activation
    let all = trajectory.workspace.numbers(
      trajectory.slopes(k, reached.step..<reached.step + 1))
    let slopes = all.isEmpty ? all : all.extracting(kept)
    // One pass does all, unless somebody wants rows.
    let isAtOnce = isInPanels && regions.form == .panels && activation.isElementwise
    var source = rows(k, reached, regions)
    if k == network.layers.count {
      if isAtOnce, isReduced {
        source = regions.states
      } else {
        fillLast(reached, group, into: source, in: workspace, regions)
      }
    }
    if !isAtOnce {
      var numbers = workspace.mutable(source.rows(reached.rows, width: width))
      activation.pullBack(
        &numbers, slopes: slopes, samples: 1, rowsPerSample: reached.rows.count, width: width)
    }
    let field = regions.fields[k - 1]
    if regions.form == .rows, field.count > 0 {
      // Rows of earlier steps owe nothing to this one.
      clear(source, width: width, rows: 0..<reached.whole.lowerBound, in: workspace)
    }
    let keeps = regions.form == .panels && field.count > 0
    let sums = regions.sums[k - 1]
    guard isInPanels || keeps || sums.count > 0 else { return source }
    let numbers = workspace.numbers(source)
    let size = width * Panels.rows
    for p in reached.firstPanel..<Panels.count(reached.count) {
      var panel = workspace.mutable(regions.panels.part(p * size..<(p + 1) * size))
      var place = workspace.mutable(
        keeps ? field.rows(p * width..<(p + 1) * width, width: regions.apart) : .none)
      var sum = workspace.mutable(sums.count > 0 ? sums.part(p * size..<(p + 1) * size) : .none)
      products.panels.spread(
        numbers, at: p * Panels.rows * width, stride: width, columns: width,
        slopes: isAtOnce ? slopes : all.extracting(0..<0), into: &panel, kept: &place,
        at: reached.place * Panels.rows, apart: regions.apart, sums: &sum)
    }
    return source
  }

  /// The rows of the last layer before its slopes: Λ in the units that are fed back, a one at the own output of fresh rows.
  private func fillLast(
    _ reached: Reached, _ group: RowGroup, into place: Region, in workspace: Workspace<T>,
    _ regions: GroupRegions
  ) {
    let units = recurrence.units
    let states = workspace.numbers(regions.states)
    var rows = workspace.mutable(place)
    if isReduced {
      let some = reached.whole.lowerBound * units..<reached.whole.upperBound * units
      var place = rows._mutatingExtracting(some)
      copy(states.extracting(some), to: &place)
      return
    }
    let width = network.outputs
    let fedBack = network.outerOutputs(recurrence)
    for row in reached.whole {
      let start = row * width
      for i in start..<start + fedBack { rows[i] = 0 }
      var place = rows._mutatingExtracting(start + fedBack..<start + width)
      copy(states.extracting(row * units..<(row + 1) * units), to: &place)
    }
    for (r, row) in reached.fresh.enumerated() {
      rows[row * width + group.outputs[reached.freshOutput + r]] = 1
    }
  }

  /// The rows of the layer below, or Λ(n, m−1): G_k(n, m) W_k.
  private func goOn(
    from source: Region, _ k: Int, _ reached: Reached, in workspace: Workspace<T>,
    _ regions: GroupRegions, _ way: Way
  ) {
    let kept = kept(k)
    let columns = below(k)
    let stride = network.layers[k - 1].inputs
    let w = weights[k - 1]
    let start = kept.lowerBound * stride + columns.lowerBound
    let target = rows(k - 1, reached, regions)
    guard way.isInPanels else {
      var rows = workspace.mutable(target.rows(reached.rows, width: columns.count))
      products.multiply(
        workspace.numbers(source), at: reached.rows.lowerBound * kept.count,
        stride: max(1, kept.count), rows: reached.rows.count, depth: kept.count, w.span, at: start,
        stride: stride, width: columns.count, adding: false, into: &rows)
      clear(
        target, width: columns.count, rows: reached.count..<reached.whole.upperBound,
        in: workspace)
      return
    }
    var rows = workspace.mutable(target.rows(reached.whole, width: columns.count))
    let size = kept.count * Panels.rows
    let panels = workspace.numbers(
      regions.panels.part(reached.firstPanel * size..<Panels.count(reached.count) * size))
    let strip = PulledWeights.stripColumns(T.self)
    for first in Swift.stride(from: 0, to: columns.count, by: strip) {
      let width = min(strip, columns.count - first)
      let right = workspace.numbers(strips[k - 1].rows(first..<first + width, width: kept.count))
      products.panels.multiply(
        rows: reached.whole.count, width: width,
        PanelFactors(
          panels: panels, panelStride: size, depths: way.depths.span, right: right, stride: width),
        PanelFactors(
          panels: panels, panelStride: 0, depths: way.noDepths.span, right: right, stride: 0),
        adding: false, into: &rows, at: first, stride: columns.count)
    }
  }

  /// φ'_L(m) times row o of W_L, for rows of this step whose own unit o is not fed back.
  private func addOwn(
    _ reached: Reached, _ group: RowGroup, of trajectory: Trajectory<T>, to target: Region,
    width: Int, in workspace: Workspace<T>
  ) {
    let last = network.layers.count
    let slopes = trajectory.workspace.numbers(
      trajectory.slopes(last, reached.step..<reached.step + 1))
    let columns = below(last)
    let w = weights[last - 1]
    var rows = workspace.mutable(target)
    for (r, row) in reached.fresh.enumerated() {
      let o = group.outputs[reached.freshOutput + r]
      guard o < network.outerOutputs(recurrence) else { continue }
      let factor = slopes.isEmpty ? 1 : slopes[o]
      let start = o * network.layers[last - 1].inputs + columns.lowerBound
      let own = w.span.extracting(start..<start + width)
      var place = rows._mutatingExtracting(row * width..<(row + 1) * width)
      for i in own.indices { place[i] = factor * own[i] }
    }
  }
}

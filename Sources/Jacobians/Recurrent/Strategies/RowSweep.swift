/// Where the rows of one group are while they are pulled back through a window.
struct GroupRegions: Sendable {
  /// Λ, (rows, R): the rows with respect to r before the step reached.
  let states: Region
  /// G_k at index k − 1, (window, rows, units kept of layer k): the rows with respect to v_k of each step; empty where nobody reads it.
  let fields: [Region]
  /// Two regions of (rows, n_k) in turn for layers that nobody reads.
  let spare: [Region]
  /// Rows of a layer in panels.
  let panels: Region

  init(
    _ network: NetworkShape, _ recurrence: Recurrence, rows: Int, window: Int, read: Set<Int>,
    isReduced: Bool, in layout: inout ScratchLayout
  ) {
    states = layout.add("rows", rows: rows, columns: recurrence.units)
    let (count, overflow) = window.multipliedReportingOverflow(by: rows)
    fields = (1...network.layers.count).map { k in
      layout.add(
        "G\(k)", rows: !read.contains(k) ? 0 : overflow ? .max : count,
        columns: RowSweep<Double>.kept(k, of: network, recurrence, isReduced: isReduced).count)
    }
    spare = (0...1).map { parity in
      let unread = (1...network.layers.count).filter { $0 & 1 == parity && !read.contains($0) }
      return layout.add(
        "spare", rows: rows, columns: unread.reduce(0) { max($0, network.width($1)) })
    }
    panels = layout.add(
      "panels", rows: Panels.count(rows) * Panels.rows,
      columns: (1...network.layers.count).reduce(0) {
        max($0, RowSweep<Double>.kept($1, of: network, recurrence, isReduced: isReduced).count)
      })
  }
}

/// Pulls rows back through the steps of a window: Λ(n, m−1) = Λ(n, m) R(m), on the way G_k(n, m) = ∂z_o(n)/∂v_k(m).
///
/// R(m) is never formed: rows go through the layers of f one after another, all rows of a group in one product.
/// With an elementwise last layer, ∂z_o(n)/∂v_L(m) vanishes for m < n outside the units that are fed back; if
/// `isReduced`, only those are kept, and what z_o(n) owes to its own unit at step n is left to the contraction.
struct RowSweep<T: Scalar>: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  let weights: [Values<T>]
  let products: StepProducts
  let isReduced: Bool

  /// The units of layer k (from 1) whose columns of G_k are kept.
  static func kept(
    _ k: Int, of network: NetworkShape, _ recurrence: Recurrence, isReduced: Bool
  ) -> Range<Int> {
    k == network.layers.count && isReduced
      ? network.outerOutputs(recurrence)..<network.outputs : 0..<network.width(k)
  }

  /// Pulls the rows of `group` from the end of `window` to its beginning; rows of later steps go on where Λ is.
  func pull(
    _ group: RowGroup, through window: Range<Int>, of trajectory: Trajectory<T>,
    in workspace: Workspace<T>, regions: GroupRegions
  ) {
    let rowCount = group.rowCount
    let last = network.layers.count
    let units = recurrence.units
    let outer = network.outerInputs(recurrence)
    let panelCount = Panels.count(rowCount)
    let depths = (1...last).map {
      [Int](
        repeating: RowSweep.kept($0, of: network, recurrence, isReduced: isReduced).count,
        count: panelCount)
    }
    let noDepths = [Int](repeating: 0, count: panelCount)
    // Rows of segments[next...] have been reached.
    var next = group.segments.count
    while next > 0, group.segments[next - 1].step >= window.upperBound { next -= 1 }
    for m in window.reversed() {
      let old = next < group.segments.count ? group.segments[next].rows.lowerBound : rowCount
      var fresh = old..<old
      var freshOutput = 0
      if next > 0, group.segments[next - 1].step == m {
        next -= 1
        fresh = group.segments[next].rows
        freshOutput = group.segments[next].firstOutput
      }
      let first = fresh.isEmpty ? old : fresh.lowerBound
      let here = m..<m + 1
      let place = m - window.lowerBound
      if first == rowCount { continue }
      // Rows of earlier steps owe nothing to this one.
      if first > 0 {
        for (index, region) in regions.fields.enumerated() where region.count > 0 {
          let width = RowSweep.kept(index + 1, of: network, recurrence, isReduced: isReduced).count
          var idle = workspace.mutable(
            region.rows(place * rowCount..<place * rowCount + first, width: width))
          for i in idle.indices { idle[i] = 0 }
        }
      }
      let active = rowCount - first

      var k = last
      var above = self.place(last, regions, at: place, rows: first..<rowCount, of: rowCount)
      start(
        trajectory, here, rows: active, fresh: fresh.count, firstOutput: freshOutput,
        outputs: group.outputs,
        states: workspace.numbers(regions.states.rows(first..<rowCount, width: units)),
        into: above, workspace)
      // In the reduced form fresh rows take row o of the weights instead of a product.
      var skipped = isReduced ? fresh.count : 0
      while true {
        let layer = network.layers[k - 1]
        let kept = RowSweep.kept(k, of: network, recurrence, isReduced: isReduced)
        let target: Region
        let column: Int
        let width: Int
        if k == 1 {
          target = regions.states.rows(first..<rowCount, width: units)
          column = outer
          width = units
        } else {
          target = self.place(k - 1, regions, at: place, rows: first..<rowCount, of: rowCount)
          column = 0
          width = layer.inputs
        }
        let w = weights[k - 1]
        if skipped > 0 {
          let slopes = trajectory.workspace.numbers(trajectory.slopes(k, here))
          var rows = workspace.mutable(target)
          for r in 0..<skipped {
            let o = group.outputs[freshOutput + r]
            let factor = slopes.isEmpty ? 1 : slopes[o]
            let start = o * layer.inputs + column
            let row = w.span.extracting(start..<start + width)
            var to = rows._mutatingExtracting(r * width..<(r + 1) * width)
            for i in row.indices { to[i] = factor * row[i] }
          }
        }
        if skipped < active {
          var rows = workspace.mutable(target.rows(skipped..<active, width: width))
          let start = kept.lowerBound * layer.inputs + column
          if active - skipped > StepProducts.singleRows, products.panels.level > 0,
            kept.count * width <= StepProducts.panelLimit
          {
            let depths = depths[k - 1]
            var packed = workspace.mutable(regions.panels)
            let stride = kept.count * Panels.rows
            for first in Swift.stride(from: skipped, to: active, by: Panels.rows) {
              products.panels.pack(
                workspace.numbers(above), at: first * kept.count, stride: kept.count,
                rows: min(Panels.rows, active - first), columns: kept.count, into: &packed,
                at: (first - skipped) / Panels.rows * stride, apart: Panels.rows)
            }
            products.panels.multiply(
              rows: active - skipped, width: width,
              PanelFactors(
                panels: packed.span, panelStride: stride, depths: depths.span,
                right: w.span.extracting(start..<w.span.count), stride: layer.inputs),
              PanelFactors(
                panels: packed.span, panelStride: 0, depths: noDepths.span, right: w.span,
                stride: 0), adding: false, into: &rows, at: 0, stride: width)
          } else {
            products.multiply(
              workspace.numbers(above), at: skipped * kept.count, stride: max(1, kept.count),
              rows: active - skipped, depth: kept.count, w.span, at: start, stride: layer.inputs,
              width: width, adding: false, into: &rows)
          }
        }
        if k == 1 { break }
        k -= 1
        skipped = 0
        var rows = workspace.mutable(target)
        network.layers[k - 1].activation.pullBack(
          &rows, slopes: trajectory.workspace.numbers(trajectory.slopes(k, here)), samples: 1,
          rowsPerSample: active, width: network.width(k))
        above = target
      }
    }
  }

  /// Where the rows of layer k at a step go: the group's own region, or a spare one.
  @inline(__always)
  private func place(
    _ k: Int, _ regions: GroupRegions, at place: Int, rows: Range<Int>, of rowCount: Int
  ) -> Region {
    let width = RowSweep.kept(k, of: network, recurrence, isReduced: isReduced).count
    let region = regions.fields[k - 1]
    if region.count > 0 {
      return region.rows(
        place * rowCount + rows.lowerBound..<place * rowCount + rows.upperBound, width: width)
    }
    return regions.spare[k & 1].rows(0..<rows.count, width: width)
  }

  /// G_L of the active rows: Λ in the units that are fed back, a one at the own output of fresh rows, times ∂φ_L.
  private func start(
    _ trajectory: Trajectory<T>, _ here: Range<Int>, rows active: Int, fresh: Int, firstOutput: Int,
    outputs: OutputSubset, states: Span<T>, into region: Region, _ workspace: Workspace<T>
  ) {
    let last = network.layers.count
    let units = recurrence.units
    let fedBack = network.outerOutputs(recurrence)
    let slopes = trajectory.workspace.numbers(trajectory.slopes(last, here))
    var rows = workspace.mutable(region)
    if isReduced {
      for i in 0..<fresh * units { rows[i] = 0 }
      for r in 0..<fresh {
        let o = outputs[firstOutput + r]
        if o >= fedBack { rows[r * units + o - fedBack] = slopes.isEmpty ? 1 : slopes[o] }
      }
      if slopes.isEmpty {
        for i in fresh * units..<active * units { rows[i] = states[i] }
      } else {
        let s = slopes.extracting(fedBack..<fedBack + units)
        for r in fresh..<active {
          let state = states.extracting(r * units..<(r + 1) * units)
          var row = rows._mutatingExtracting(r * units..<(r + 1) * units)
          for i in s.indices { row[i] = state[i] * s[i] }
        }
      }
      return
    }
    let width = network.outputs
    for r in 0..<active {
      var row = rows._mutatingExtracting(r * width..<(r + 1) * width)
      for i in row.indices { row[i] = 0 }
      if r < fresh {
        row[outputs[firstOutput + r]] = 1
      } else {
        for i in 0..<units { row[fedBack + i] = states[r * units + i] }
      }
    }
    network.layers[last - 1].activation.pullBack(
      &rows, slopes: slopes, samples: 1, rowsPerSample: active, width: width)
  }
}

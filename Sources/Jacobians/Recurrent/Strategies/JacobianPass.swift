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
      products: job.products, isReduced: layout.isReduced, strips: layout.strips)
  }

  /// One sequence from beginning to end, or from where `progress` says on; without it nothing is kept within the sequence.
  func run(
    _ trajectory: inout Trajectory<T>, length: Int, progress: PassProgress<T>? = nil
  ) throws {
    let end = layout.selection.end(length: length)
    sweep.keepWeights(in: workspace)
    consumer?.begin(trajectory.sequence)
    if layout.carries {
      try carryForwards(&trajectory, length: length, end: end, progress)
    } else {
      try goBack(&trajectory, length: length, end: end, progress)
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
  private func carryForwards(
    _ trajectory: inout Trajectory<T>, length: Int, end: Int, _ progress: PassProgress<T>?
  ) throws {
    var edge: Int?
    if let progress, progress.begunAt > 0 {
      edge = 0
      try progress.restore(layout.state(edge: 0), in: workspace)
    }
    for (number, window) in windows(to: end).enumerated().dropFirst(progress?.begunAt ?? 0) {
      if let progress, let edge, !trajectory.steps.contains(window.lowerBound) {
        try progress.reached(
          number, trajectory.numerics, state: layout.state(edge: edge), in: workspace)
      }
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
  private func goBack(
    _ trajectory: inout Trajectory<T>, length: Int, end: Int, _ progress: PassProgress<T>?
  ) throws {
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
    var first = progress?.begunAt ?? 0
    while first < groups.count {
      try progress?.reached(first, Numerics(), state: [], in: workspace)
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
    // Rows of a single window are complete when they are contracted.
    let storesAtOnce = isLent && isFirst && isLast && !group.isCarried
    for t in tiles {
      let tile = layout.tiles[t]
      if !tile.isDirect {
        contract(
          group, g, tile, t, over: window, of: trajectory, edge: edge, adds: !isFirst,
          storesWeights: storesAtOnce, into: home,
          group.isCarried ? layout.carried[1 - (edge ?? 1)][t] : regions(t), slot)
      } else if !group.isCarried {
        keepOwn(group, tile, over: window, of: trajectory, into: home, regions(t))
      }
      if isLent, isLast, !group.isCarried {
        try target.store(
          group, tile: t, of: trajectory.sequence, hasWeights: !storesAtOnce || tile.isDirect,
          from: home, regions(t), writer: writer, slot: slot)
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
}

/// A trajectory whose window stands still while threads read it.
struct TrajectoryView<T: Scalar>: Sendable {
  let trajectory: Trajectory<T>
  init(_ trajectory: Trajectory<T>) { self.trajectory = trajectory }
}

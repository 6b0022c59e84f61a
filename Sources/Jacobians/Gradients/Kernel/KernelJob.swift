import Synchronization

/// A kernel being computed: the groups' factors, then tile after tile of their pairs, by all threads.
final class KernelJob<T: Scalar>: Sendable {
  private let plan: KernelPlan
  private let rows: Problem<T>
  private let columns: Problem<T>
  private let writer: ResultWriter
  private let blas: BLAS
  private let team: Team
  private let members: [KernelMember<T>]
  private let monitor: any ComputationMonitor
  private let finished: Atomic<Int>
  private let blockCount: Int
  private let progress: KernelProgress<T>

  /// `finished` of `blockCount` blocks of the whole job are done before this kernel.
  init(
    _ plan: KernelPlan, on problem: Problem<T>, into sink: any ResultSink, threads: Int,
    monitor: any ComputationMonitor, blas: BLAS, finished: Int, of blockCount: Int,
    progress: KernelProgress<T>
  ) {
    self.plan = plan
    self.progress = progress
    self.monitor = monitor
    self.blas = blas
    self.blockCount = blockCount
    self.finished = Atomic(finished + plan.layout.unitCount(ofRows: progress.begunAt))
    rows = problem
    columns =
      plan.gradient.others.map { others in
        Problem(
          network: problem.network, inputs: problem.operand(others.operand), targets: nil,
          batch: others.batch)
      } ?? problem
    writer = ResultWriter(sink: sink, firstArray: plan.firstArray)
    team = Team(threads: max(1, threads))
    let (rows, columns) = (rows, columns)
    members = (0..<max(1, threads)).map { _ in
      KernelMember(plan.layout, rows: rows, columns: columns, blas: blas)
    }
  }

  /// Computes all of it; the tally has what the factors of the rows' samples showed.
  func run() throws -> Tally {
    let layout = plan.layout
    let clock = ContinuousClock()
    let first = Workspace<T>(count: layout.groupCount)
    let second =
      layout.sharedCount > layout.groupCount ? Workspace<T>(count: layout.groupCount) : first
    var tally = Tally()
    let begun = clock.now
    try mirrorKeptRows(first, second)
    tally.contraction += clock.now - begun
    var filled: Range<Int>?
    for (group, other) in layout.pairs where group.upperBound > progress.begunAt {
      let start = clock.now
      if filled != group {
        progress.begin(numerics)
        try fill(first, group, isRow: true)
        filled = group
      }
      let isSame = layout.isSymmetric && group == other
      if !isSame { try fill(second, other, isRow: false) }
      let kept = clock.now
      tally.backward += kept - start
      let isLast = other == layout.columnGroups.last
      if isLast { progress.beginRows(of: group, numerics, tally, since: kept) }
      try contract(group, first, other, isSame ? first : second, completes: isLast)
      tally.contraction += clock.now - kept
    }
    tally.numerics = numerics
    return tally
  }

  /// After a cancellation, when all threads have stopped: keeps the rows that are complete.
  func keepAtCancellation() throws { try progress.keepAtCancellation() }

  /// What the samples of the rows showed until now.
  private var numerics: Numerics {
    var numerics = progress.numericsBefore
    for member in members { numerics.add(member.numerics) }
    return numerics
  }

  /// What complete rows of a symmetric Θ have right of the square that is complete, below it.
  private func mirrorKeptRows(_ first: Workspace<T>, _ second: Workspace<T>) throws {
    let layout = plan.layout
    let row = progress.begunAt
    guard row > 0, layout.isSymmetric, let results = progress.results else { return }
    let tiles = layout.tiles(0..<row, row..<rows.batch)
    let contraction = contraction(0..<row, first, row..<rows.batch, second)
    try team.share(tiles.count) { part, member in
      if monitor.isCancelled { throw CancellationError() }
      try contraction.mirrorKept(
        tiles[part].rows, tiles[part].columns, of: results, in: members[member].workspace)
    }
  }

  /// Stages 1 and 2 of a group, block by block, and what the tiles read of them.
  private func fill(_ factors: Workspace<T>, _ group: Range<Int>, isRow: Bool) throws {
    let blocks = plan.layout.blocks(group)
    try team.share(blocks.count) { part, member in
      if monitor.isCancelled { throw CancellationError() }
      members[member].fill(
        factors, blocks[part], first: group.lowerBound, isRow: isRow, of: plan.gradient.outputs)
    }
  }

  /// All tiles of a pair of groups; if it `completes` rows of Θ, these may be kept.
  private func contract(
    _ rows: Range<Int>, _ left: Workspace<T>, _ columns: Range<Int>, _ right: Workspace<T>,
    completes: Bool
  ) throws {
    let tiles = plan.layout.tiles(rows, columns).filter {
      $0.rows.lowerBound >= progress.begunAt
    }
    let contraction = contraction(rows, left, columns, right)
    try team.share(tiles.count) { part, member in
      if monitor.isCancelled { throw CancellationError() }
      try contraction.compute(
        tiles[part].rows, tiles[part].columns, in: members[member].workspace)
      if completes { try progress.finished(tileIn: tiles[part].rows) }
      monitor.finished(
        blocks: finished.add(1, ordering: .relaxed).newValue, of: blockCount)
    }
  }

  private func contraction(
    _ rows: Range<Int>, _ left: Workspace<T>, _ columns: Range<Int>, _ right: Workspace<T>
  ) -> KernelTile<T> {
    KernelTile<T>(
      plan: plan, left: left, right: right, firstRow: rows.lowerBound,
      firstColumn: columns.lowerBound, batch: self.rows.batch, otherBatch: self.columns.batch,
      writer: writer, blas: blas)
  }
}

/// What one thread computes a kernel in.
final class KernelMember<T: Scalar>: @unchecked Sendable {
  // Sendable: a team gives each member to one thread at a time.
  private let layout: KernelLayout
  private var rows: Passes<T>
  /// Of the other samples; of the same ones where there are none, and then not used.
  private var columns: Passes<T>
  /// Tiles and strips.
  let workspace: Workspace<T>

  init(_ layout: KernelLayout, rows: Problem<T>, columns: Problem<T>, blas: BLAS) {
    self.layout = layout
    self.rows = Passes(layout.stages, on: rows, scratchCount: layout.scratchCount, blas: blas)
    self.columns = Passes(
      layout.stages, on: columns, scratchCount: layout.isSymmetric ? 0 : layout.scratchCount,
      blas: blas)
    workspace = Workspace(count: layout.workspaceCount)
  }

  /// What the samples of the rows showed.
  var numerics: Numerics { rows.numerics }

  /// Computes the factors of a block and keeps them in the group's memory, which begins with sample `first`.
  func fill(
    _ factors: Workspace<T>, _ block: Range<Int>, first: Int, isRow: Bool,
    of outputs: OutputSubset
  ) {
    if isRow {
      KernelMember.fill(factors, block, first: first, of: outputs, layout: layout, with: &rows)
      return
    }
    guard layout.isSymmetric else {
      KernelMember.fill(factors, block, first: first, of: outputs, layout: layout, with: &columns)
      return
    }
    let seen = rows.numerics
    KernelMember.fill(factors, block, first: first, of: outputs, layout: layout, with: &rows)
    // Every sample is a row's once, which counts.
    rows.numerics = seen
  }

  private static func fill(
    _ factors: Workspace<T>, _ block: Range<Int>, first: Int, of outputs: OutputSubset,
    layout: KernelLayout, with passes: inout Passes<T>
  ) {
    passes.forward(block)
    passes.backward(block)
    let problem = passes.problem
    let network = layout.stages.network
    let m = outputs.count
    let place = block.lowerBound - first
    passes.scratch.divide(at: layout.scratchCount) { numbers, _ in
      let block = Block(block, of: problem, stages: layout.stages, numbers: numbers)
      for term in layout.terms {
        let k = term.layer
        if term.isDiagonal {
          var slopes = factors.mutable(
            term.deltas.part(place * m..<(place + block.samples.count) * m))
          let own = block.slopes(k)
          for sample in 0..<block.samples.count {
            for r in 0..<m {
              slopes[sample * m + r] =
                own.isEmpty ? 1 : own[sample * network.outputs + outputs[r]]
            }
          }
        } else {
          pack(block.localGradients(k), of: term, from: place, to: factors, layout: layout)
        }
        if term.hasWeights {
          let a = block.activations(k - 1)
          let start = place * network.width(k - 1)
          var rows = factors.mutable(term.inputs.part(start..<start + a.count))
          copy(a, to: &rows)
        }
      }
    }
  }

  /// Packs a block's δ_k, (samples, m, n_k), into the tiles' panels; it begins with sample `place` of the group.
  private static func pack(
    _ delta: Span<T>, of term: KernelLayout.Term, from place: Int, to factors: Workspace<T>,
    layout: KernelLayout
  ) {
    let n = layout.stages.network.width(term.layer)
    let m = layout.outputs
    let depth = layout.rowsPerSample
    let width = GramBlock<T>.width
    let samples = delta.count / (m * n)
    var sample = 0
    while sample < samples {
      let tile = (place + sample) / layout.tileSamples
      let end = min(samples, (tile + 1) * layout.tileSamples - place)
      let first = (place + sample - tile * layout.tileSamples) * depth
      let rows = first..<first + (end - sample) * depth
      for output in 0..<m / depth {
        var row = rows.lowerBound
        while row < rows.upperBound {
          let number = row / width
          let count = min(rows.upperBound, (number + 1) * width) - row
          var panel = factors.mutable(
            layout.panel(number, ofTile: tile, output: output, of: term, panelRows: width))
          GramBlock<T>.pack(
            delta, from: (sample * m + output + (row - rows.lowerBound) * (m / depth)) * n,
            stride: m / depth * n, rows: count, depth: n, into: &panel, at: row - number * width)
          row += count
        }
      }
      sample = end
    }
  }
}

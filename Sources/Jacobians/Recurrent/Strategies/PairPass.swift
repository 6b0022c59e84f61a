/// What is written of rows at every step they pass: ∂z_o(n)/∂v_k(m), or ∂z_o(n)/∂x(m).
enum PairSource: Hashable, Sendable {
  /// G_k(n, m), (…, T, n_k).
  case localGradients(layer: Int)
  /// G_1(n, m) W_1x, (…, T, n_x).
  case inputs
  /// a_k(m) itself, (B, T, n_k): the other factor.
  case activations(layer: Int)
}

/// Where a pass over pairs of steps keeps its numbers.
struct PairLayout: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  let outputs: OutputSubset
  let selection: StepSelection
  /// What each array holds.
  let sources: [PairSource]
  let window: Int
  let groupRows: Int
  let groupsAtOnce: Int
  let trajectory: TrajectoryLayout
  /// W_k in strips.
  let strips: [Region]
  let groups: [GroupRegions]
  /// G_1 W_1x of each group, (window, rows as they are laid out, n_x).
  let inputs: [Region]
  let count: Int
  let stream: Region
  let slotCount: Int
  let hasOverflowed: Bool

  /// Numbers of G that a group may take.
  static let mostFieldNumbers = 1 << 18

  init(
    network: NetworkShape, recurrence: Recurrence, shape: SequenceShape, outputs: OutputSubset,
    selection: StepSelection, sources: [PairSource]
  ) {
    self.network = network
    self.recurrence = recurrence
    self.outputs = outputs
    self.selection = selection
    self.sources = sources
    groupRows = min(
      JacobianLayout.usualGroupRows,
      CheckedSize(product: [selection.count(of: shape.steps), outputs.count]).value ?? .max)
    let rows = max(1, groupRows)
    var read: Set<Int> = []
    for source in sources {
      if case .localGradients(let k) = source { read.insert(k) }
      if source == .inputs { read.insert(1) }
    }
    let hasInputs = sources.contains(.inputs)
    let columns =
      read.reduce(0) { $0 + network.width($1) }
      + (hasInputs ? network.outerInputs(recurrence) : 0)
    let window = max(
      1, min(shape.steps, max(16, PairLayout.mostFieldNumbers / max(1, rows * columns))))
    self.window = window
    var layout = ScratchLayout()
    trajectory = TrajectoryLayout(
      network, recurrence, window: window, windows: (max(1, shape.steps) - 1) / window + 1,
      isPulledBack: true, in: &layout)
    let groupCount =
      ((CheckedSize(product: [selection.count(of: shape.steps), outputs.count]).value ?? .max / 2)
        - 1) / rows + 1
    groupsAtOnce = max(1, min(8, groupCount))
    strips = PulledWeights.layOut(
      network, recurrence, rows: rows, isReduced: false, in: &layout)
    groups = (0..<groupsAtOnce).map { _ in
      GroupRegions(
        network, recurrence, form: .rows, rows: rows, window: window, read: read, summed: [],
        isReduced: false, in: &layout)
    }
    let laidOut = groups[0].rowsLaidOut(of: rows)
    inputs = (0..<groupsAtOnce).map { _ in
      layout.add(
        "G1 W1x", rows: hasInputs ? window * laidOut : 0, columns: network.outerInputs(recurrence))
    }
    count = layout.count
    var slot = ScratchLayout()
    stream = slot.add(
      "stream", rows: 1, columns: TileStream<Double>.byteCount / MemoryLayout<Double>.stride)
    slotCount = slot.count
    hasOverflowed = layout.hasOverflowed || slot.hasOverflowed
  }

  /// Operations of a sequence of that length.
  func operations(length: Int) -> Double {
    let outer = Double(network.outerInputs(recurrence))
    var perRow = network.layers.reduce(0) { $0 + 2 * Double($1.inputs) * Double($1.outputs) }
    perRow += sources.contains(.inputs) ? 2 * outer * Double(network.width(1)) : 0
    let rows = selection.rows(in: 0..<length, length: length)
    let pairs =
      selection == .all
      ? Double(length) * Double(length + 1) / 2
      : rows.reduce(0) { $0 + Double(selection.step(at: $1, length: length) + 1) }
    return TrajectoryLayout.operationsPerStep(network) * Double(length)
      + pairs * Double(outputs.count) * perRow
  }
}

/// Pulls rows of one sequence back to its beginning and writes what they are with respect to every earlier step.
struct PairPass<T: Scalar>: Sendable {
  let layout: PairLayout
  let job: RecurrentJob<T>
  let writer: ResultWriter
  let team: Team
  let workspace: Workspace<T>
  let slots: [Workspace<T>]

  private var sweep: RowSweep<T> {
    RowSweep(
      network: layout.network, recurrence: layout.recurrence,
      weights: job.problem.network.weights, products: job.products, isReduced: false,
      strips: layout.strips)
  }

  func run(_ trajectory: inout Trajectory<T>, length: Int, progress: PassProgress<T>) throws {
    sweep.keepWeights(in: workspace)
    let steps = job.problem.shape.steps
    let sequence = trajectory.sequence
    let windows = stride(from: 0, to: steps, by: layout.window).map {
      $0..<min($0 + layout.window, steps)
    }
    for window in windows {
      try job.checkCancellation()
      let real = window.clamped(to: 0..<length)
      if !real.isEmpty {
        let clock = ContinuousClock.now
        trajectory.advance(over: real)
        job.spent(.forward, since: clock)
      }
      try writeActivations(trajectory, window, real)
    }
    let axis = layout.selection.rows(in: 0..<length, length: length)
    let groups = RowGroup.cut(
      rows: axis, of: layout.selection, length: length, outputs: layout.outputs,
      most: layout.groupRows)
    let rowsPerSequence = layout.selection.count(of: steps) * layout.outputs.count
    var first = progress.begunAt
    while first < groups.count {
      try progress.reached(first, Numerics(), state: [], in: workspace)
      let some = Array(groups[first..<min(first + layout.groupsAtOnce, groups.count)])
      let lastStep = some.reduce(-1) { max($0, $1.lastStep) }
      for window in windows.reversed() {
        try job.checkCancellation()
        let real = window.clamped(to: 0..<length)
        let isReached = window.lowerBound <= lastStep
        if isReached {
          let clock = ContinuousClock.now
          trajectory.restore(real)
          job.spent(.forward, since: clock)
        }
        let shared = TrajectoryView(trajectory)
        let clock = ContinuousClock.now
        try team.share(some.count) { g, member in
          let group = some[g]
          if window.lowerBound <= group.lastStep {
            pull(group, g, real, shared.trajectory)
          }
          try write(
            group, g, window, firstRow: sequence * rowsPerSequence + group.firstRow,
            slots[member])
        }
        job.spent(.backward, since: clock)
      }
      first += some.count
      job.finished(some.count)
    }
    let done = axis.count * layout.outputs.count
    for (array, source) in layout.sources.enumerated() {
      guard let width = pairWidth(source) else { continue }
      try writeZeros(
        rows: rowsPerSequence - done, width: steps * width, array: array,
        at: (sequence * rowsPerSequence + done) * steps * width, writer: writer,
        through: slots[0], layout.stream)
    }
  }

  /// Numbers for each pair of a row and a step, or nil for the factor that belongs to steps alone.
  private func pairWidth(_ source: PairSource) -> Int? {
    switch source {
    case .localGradients(let k): layout.network.width(k)
    case .inputs: layout.network.outerInputs(layout.recurrence)
    case .activations: nil
    }
  }

  private func writeActivations(
    _ trajectory: Trajectory<T>, _ window: Range<Int>, _ real: Range<Int>
  ) throws {
    for (array, source) in layout.sources.enumerated() {
      guard case .activations(let k) = source else { continue }
      let width = layout.network.width(k)
      let first = trajectory.sequence * job.problem.shape.steps
      if !real.isEmpty {
        try writer.write(
          workspace.numbers(trajectory.activations(k, real)), array: array,
          at: (first + real.lowerBound) * width)
      }
      try writeZeros(
        rows: window.count - real.count, width: width, array: array,
        at: (first + window.lowerBound + real.count) * width, writer: writer, through: slots[0],
        layout.stream)
    }
  }

  private func pull(
    _ group: RowGroup, _ g: Int, _ window: Range<Int>, _ trajectory: Trajectory<T>
  ) {
    let network = layout.network
    sweep.pull(
      group, through: window, of: trajectory, in: workspace, regions: layout.groups[g])
    guard layout.inputs[g].count > 0 else { return }
    let rows =
      (min(group.lastStep + 1, window.upperBound) - window.lowerBound)
      * layout.groups[g].rowsLaidOut(of: group.rowCount)
    var place = workspace.mutable(layout.inputs[g])
    let weights = job.problem.network.weights[0]
    job.products.blas.multiply(
      Matrix(
        workspace.numbers(layout.groups[g].fields[0]), rows: rows, columns: network.width(1)),
      Matrix(
        weights.span, rows: network.width(1),
        columns: network.outerInputs(layout.recurrence), stride: network.inputs), into: &place)
  }

  private func write(
    _ group: RowGroup, _ g: Int, _ window: Range<Int>, firstRow: Int, _ slot: Workspace<T>
  ) throws {
    let steps = job.problem.shape.steps
    let stepRows = layout.groups[g].rowsLaidOut(of: group.rowCount)
    for (array, source) in layout.sources.enumerated() {
      guard let width = pairWidth(source) else { continue }
      let region: Region
      if case .localGradients(let k) = source {
        region = layout.groups[g].fields[k - 1]
      } else {
        region = layout.inputs[g]
      }
      let numbers = workspace.numbers(region)
      for segment in group.segments {
        for row in segment.rows {
          var stream = TileStream(
            slot.mutable(layout.stream), writer: writer, array: array,
            at: ((firstRow + row) * steps + window.lowerBound) * width)
          for m in window {
            let start = ((m - window.lowerBound) * stepRows + row) * width
            let isOwed = m <= segment.step
            try stream.append(rows: 1, width: width) { _, columns, piece in
              if isOwed {
                copy(
                  numbers.extracting(start + columns.lowerBound..<start + columns.upperBound),
                  to: &piece)
              } else {
                for i in piece.indices { piece[i] = 0 }
              }
            }
          }
          try stream.finish()
        }
      }
    }
  }
}

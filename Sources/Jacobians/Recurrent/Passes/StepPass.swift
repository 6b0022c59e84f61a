/// What of each step the gradients of a `StepPass` read.
struct StepNeeds: Sendable {
  /// The outputs of z whose rows ∂z/∂v_k(n) are computed, if any.
  var outputs: OutputSubset?
  /// The layers whose rows are kept.
  var layers: Set<Int> = []
  /// Whether ∂z(n)/∂r(n−1) is read.
  var transition = false
  /// Whether ∂z(n)/∂r(0) is read.
  var initial = false
  /// Whether E is read.
  var loss = false

  /// What two gradients need together.
  func union(_ other: StepNeeds) -> StepNeeds {
    var both = self
    both.outputs =
      outputs.map { mine in other.outputs.map { mine.union($0) } ?? mine } ?? other.outputs
    both.layers.formUnion(other.layers)
    both.transition = transition || other.transition
    both.initial = initial || other.initial
    both.loss = loss || other.loss
    return both
  }
}

/// Where a `StepPass` keeps a window of steps.
struct StepLayout: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  let needs: StepNeeds
  let window: Int
  let trajectory: TrajectoryLayout
  /// The outputs whose rows are pulled back.
  let outputs: OutputSubset
  /// ∂z/∂v_k(n), (window, outputs, n_k), at index k − 1; two of them in turn where nobody reads them.
  let rows: [Region]
  /// ∂z(n)/∂r(n−1), (window, outputs, R).
  let transition: Region
  /// ∂r(n)/∂r(0), (R, R), and ∂z(n)/∂r(0), (window, |z|, R).
  let carried: Region
  let initial: Region
  /// E, summed over the steps so far.
  let loss: Region
  /// A tile for what goes to the sink.
  let stream: Region
  let count: Int
  let hasOverflowed: Bool

  /// Steps of a window: enough for efficient products.
  static let mostSteps = 128
  /// Rows of a window, unless one step has more.
  static let mostRows = 2048

  init(
    network: NetworkShape, recurrence: Recurrence, shape: SequenceShape, needs: StepNeeds
  ) {
    var layout = ScratchLayout()
    self.network = network
    self.recurrence = recurrence
    self.needs = needs
    let isChained = needs.transition || needs.initial
    let outputs =
      isChained ? OutputSubset(allOf: network.outputs) : needs.outputs ?? OutputSubset([])
    self.outputs = outputs
    let window = max(
      1, min(shape.steps, StepLayout.mostSteps, StepLayout.mostRows / max(1, outputs.count)))
    self.window = window
    trajectory = TrajectoryLayout(
      network, recurrence, window: window, windows: 1, isPulledBack: outputs.count > 0,
      in: &layout)
    let lowest = isChained ? 1 : needs.layers.min() ?? network.layers.count + 1
    let (count, overflow) = window.multipliedReportingOverflow(by: outputs.count)
    rows = (1...network.layers.count).map { k in
      layout.add(
        "delta\(k)", rows: k < lowest ? 0 : overflow ? .max : count, columns: network.width(k))
    }
    let units = recurrence.units
    transition = layout.add("R", rows: isChained ? count : 0, columns: units)
    carried = layout.add("D", rows: needs.initial ? units : 0, columns: units)
    initial = layout.add("dz/dr(0)", rows: needs.initial ? count : 0, columns: units)
    loss = layout.add("E", rows: needs.loss ? 1 : 0, columns: 1)
    stream = layout.add(
      "stream", rows: 1, columns: TileStream<Double>.byteCount / MemoryLayout<Double>.stride)
    self.count = layout.count
    hasOverflowed = layout.hasOverflowed
  }

  /// What a pass needs to go on behind a window.
  var state: [Region] { [trajectory.state, carried, loss] }

  /// Operations of one step.
  var operationsPerStep: Double {
    var total = TrajectoryLayout.operationsPerStep(network)
    let rows = Double(outputs.count)
    for (index, layer) in network.layers.enumerated() where self.rows[index].count > 0 {
      total += 2 * rows * Double(layer.inputs) * Double(layer.outputs)
    }
    if needs.initial {
      total += 2 * rows * Double(recurrence.units) * Double(recurrence.units)
    }
    return total
  }
}

/// A window of steps, forwards in time, with what was computed of each: for gradients that need no other step's rows.
struct StepBlock<T: Scalar> {
  let layout: StepLayout
  let trajectory: Trajectory<T>
  let workspace: Workspace<T>
  /// The steps, all before the sequence's end.
  let steps: Range<Int>
  /// The sequence's length and number.
  let length: Int
  let sequence: Int
  /// T.
  let longest: Int
  /// E, summed from the first step to the last of this window.
  let loss: T

  /// Whether these are the sequence's last steps.
  var isLast: Bool { steps.upperBound == length }

  /// z, (steps, |z|).
  var outputs: Region { trajectory.activations(layout.network.layers.count, steps) }

  /// ∂z/∂v_k, (steps, outputs pulled back, n_k).
  func localGradients(_ k: Int) -> Region { layout.rows[k - 1] }

  /// Writes rows of the selected steps: `rowsPerStep` rows of `width` numbers, found in `region` by step and row.
  ///
  /// After the last window the rows of steps that the sequence does not have are filled with zeros.
  func write(
    _ selection: StepSelection, rowsPerStep: Int, width: Int, array: Int, writer: ResultWriter,
    from region: Region, at start: (_ step: Int, _ row: Int) -> Int
  ) throws {
    let axis = selection.rows(in: steps, length: length)
    let rowLength = rowsPerStep * width
    let first = sequence * selection.count(of: longest)
    let numbers = workspace.numbers(region)
    if !axis.isEmpty {
      var stream = TileStream(
        workspace.mutable(layout.stream), writer: writer, array: array,
        at: (first + axis.lowerBound) * rowLength)
      for row in axis {
        let step = selection.step(at: row, length: length) - steps.lowerBound
        for r in 0..<rowsPerStep {
          let offset = start(step, r)
          let source = numbers.extracting(offset..<offset + width)
          try stream.append(rows: 1, width: width) { _, columns, piece in
            copy(source.extracting(columns), to: &piece)
          }
        }
      }
      try stream.finish()
    }
    if isLast {
      let done = selection.rows(in: 0..<length, length: length).count
      try writeZeros(
        rows: selection.count(of: longest) - done, width: rowLength, array: array,
        at: (first + done) * rowLength, writer: writer, through: workspace, layout.stream)
    }
  }
}

/// Computes windows of steps of one sequence forwards in time and lets gradients write what they read of them.
struct StepPass<T: Scalar> {
  let layout: StepLayout
  let job: RecurrentJob<T>
  let gradients: [(gradient: any StepGradient, firstArray: Int)]
  let workspace: Workspace<T>

  func run(_ trajectory: inout Trajectory<T>, length: Int, progress: PassProgress<T>) throws {
    if progress.begunAt > 0 {
      try progress.restore(layout.state, in: workspace)
    } else {
      begin()
    }
    for first in stride(
      from: progress.begunAt * layout.window, to: length, by: layout.window)
    {
      try progress.reached(
        first / layout.window, trajectory.numerics, state: layout.state, in: workspace)
      try job.checkCancellation()
      let steps = first..<min(first + layout.window, length)
      var clock = ContinuousClock.now
      trajectory.advance(over: steps)
      job.spent(.forward, since: clock)
      clock = .now
      pullBack(trajectory, steps)
      if layout.needs.initial { chain(steps.count) }
      if layout.needs.loss {
        var sum = workspace.mutable(layout.loss)
        sum[0] += loss(trajectory, steps)
      }
      job.spent(.backward, since: clock)
      clock = .now
      let block = StepBlock(
        layout: layout, trajectory: trajectory, workspace: workspace, steps: steps, length: length,
        sequence: trajectory.sequence, longest: job.problem.shape.steps,
        loss: layout.needs.loss ? workspace.numbers(layout.loss)[0] : 0)
      for (gradient, firstArray) in gradients {
        try gradient.write(block, to: ResultWriter(sink: job.sink, firstArray: firstArray))
      }
      job.spent(.contraction, since: clock)
      job.finished(1)
    }
  }

  private func begin() {
    if layout.needs.initial {
      let units = layout.recurrence.units
      var carried = workspace.mutable(layout.carried)
      for i in carried.indices { carried[i] = i / units == i % units ? 1 : 0 }
    }
    var loss = workspace.mutable(layout.loss)
    for i in loss.indices { loss[i] = 0 }
  }

  /// ∂z/∂v_k of all steps, layer by layer, then ∂z(n)/∂r(n−1) = δ_1 W_1r.
  private func pullBack(_ trajectory: Trajectory<T>, _ steps: Range<Int>) {
    let network = layout.network
    let last = network.layers.count
    let outputs = layout.outputs
    guard layout.rows[last - 1].count > 0 else { return }
    let blas = job.products.blas
    let count = steps.count * outputs.count
    do {
      var top = workspace.mutable(layout.rows[last - 1])
      network.layers[last - 1].activation.fillJacobian(
        &top, slopes: workspace.numbers(trajectory.slopes(last, steps)), samples: steps.count,
        outputs: outputs, width: network.outputs)
    }
    for k in Swift.stride(from: last, to: 0, by: -1) {
      let layer = network.layers[k - 1]
      let target = k == 1 ? layout.transition : layout.rows[k - 2]
      guard target.count > 0 else { return }
      let column = k == 1 ? network.outerInputs(layout.recurrence) : 0
      let width = layer.inputs - column
      var rows = workspace.mutable(target)
      let weights = job.problem.network.weights[k - 1]
      blas.multiply(
        Matrix(workspace.numbers(layout.rows[k - 1]), rows: count, columns: layer.outputs),
        Matrix(
          weights.span, at: column, rows: layer.outputs, columns: width,
          stride: layer.inputs), into: &rows)
      if k > 1 {
        network.layers[k - 2].activation.pullBack(
          &rows, slopes: workspace.numbers(trajectory.slopes(k - 1, steps)), samples: steps.count,
          rowsPerSample: outputs.count, width: width)
      }
    }
  }

  /// ∂z(n)/∂r(0) = (∂z(n)/∂r(n−1)) ∂r(n−1)/∂r(0).
  private func chain(_ count: Int) {
    let units = layout.recurrence.units
    let z = layout.network.outputs
    let fedBack = layout.network.outerOutputs(layout.recurrence)
    for n in 0..<count {
      let rows = n * z..<(n + 1) * z
      do {
        var place = workspace.mutable(layout.initial.rows(rows, width: units))
        job.products.multiply(
          workspace.numbers(layout.transition.rows(rows, width: units)), at: 0, stride: units,
          rows: z, depth: units, workspace.numbers(layout.carried), at: 0, stride: units,
          width: units, adding: false, into: &place)
      }
      var carried = workspace.mutable(layout.carried)
      copy(
        workspace.numbers(
          layout.initial.rows(rows.lowerBound + fedBack..<rows.upperBound, width: units)),
        to: &carried)
    }
  }

  /// ½ Σ_n ‖y(n) − d(n)‖² over some steps.
  private func loss(_ trajectory: Trajectory<T>, _ steps: Range<Int>) -> T {
    guard let targets = job.problem.targets else { return 0 }
    let network = layout.network
    let m = network.outerOutputs(layout.recurrence)
    let z = workspace.numbers(trajectory.activations(network.layers.count, steps))
    let first = (trajectory.sequence * job.problem.shape.steps + steps.lowerBound) * m
    let d = targets.span.extracting(first..<first + steps.count * m)
    var sum: T = 0
    for n in 0..<steps.count {
      for o in 0..<m {
        let u = z[n * network.outputs + o] - d[n * m + o]
        sum += u * u
      }
    }
    return sum / 2
  }
}

/// Hands the rows of ∂y(n)/∂w of one sequence to the gradients that are made of them, as a `JacobianPass` finishes them.
struct RowConsumer<T: Scalar>: Sendable {
  let layout: RowLayout
  let job: RecurrentJob<T>
  let team: Team
  let workspace: Workspace<T>
  let slot: Workspace<T>
  private let store: RowStore<T>
  /// Who takes them instead of the layout's gradients, if anybody.
  private let taker: (@Sendable (RowBlock<T>) throws -> Void)?

  init(
    _ layout: RowLayout, job: RecurrentJob<T>, team: Team, workspace: Workspace<T>,
    slot: Workspace<T>, taker: (@Sendable (RowBlock<T>) throws -> Void)? = nil
  ) {
    self.taker = taker
    self.layout = layout
    self.job = job
    self.team = team
    self.workspace = workspace
    self.slot = slot
    store = RowStore(layout.rows, columns: layout.columns, in: workspace)
  }

  /// Where the pass writes its rows.
  var writer: ResultWriter { ResultWriter(sink: store, firstArray: 0) }

  private func rowsBefore(_ sequence: Int) -> Int {
    layout.request.selection.count(of: job.problem.shape.steps) * layout.request.outputs.count
      * sequence
  }

  /// Before a sequence's first step.
  func begin(_ sequence: Int) {
    store.begin(at: rowsBefore(sequence))
    var sums = workspace.mutable(layout.sums)
    for i in sums.indices { sums[i] = 0 }
  }

  /// When states of some steps were computed for the first time: keeps p of those asked for.
  func passed(_ trajectory: Trajectory<T>, _ steps: Range<Int>, length: Int) {
    guard layout.probabilities.count > 0 else { return }
    let width = layout.probabilityWidth
    let last = layout.jacobian.network.layers.count
    for row in layout.request.selection.rows(in: steps, length: length) {
      let step = layout.request.selection.step(at: row, length: length)
      let z = workspace.numbers(trajectory.activations(last, step..<step + 1))
      var p = workspace.mutable(layout.probabilities.part(row * width..<(row + 1) * width))
      OutputLoss.softmaxCrossEntropy.fillProbabilities(
        &p, outputs: z.extracting(0..<width), width: width)
    }
  }

  /// When all rows of some groups, which follow one another, stand in the store.
  func take(_ groups: [RowGroup], of sequence: Int) throws {
    let outputs = layout.request.outputs.count
    guard let first = groups.first, let last = groups.last else { return }
    let axis = first.firstRow / outputs..<(last.firstRow + last.rowCount) / outputs
    let block = RowBlock(
      layout: layout, workspace: workspace, slot: slot, blas: job.products.blas, team: team,
      sequence: sequence, longest: job.problem.shape.steps, axis: axis)
    try taker?(block)
    for share in layout.shares {
      try share.gradient.contract(
        block, scratch: share.scratch, sums: share.sums,
        to: ResultWriter(sink: job.sink, firstArray: share.firstArray))
    }
    store.begin(at: rowsBefore(sequence) + axis.upperBound * outputs)
  }

  /// After a sequence's last step: completes sums, writes zeros for steps that it does not have.
  func end(_ sequence: Int, length: Int) throws {
    let selection = layout.request.selection
    let steps = selection.count(of: job.problem.shape.steps)
    let done = selection.rows(in: 0..<length, length: length).count
    for share in layout.shares {
      var sums = workspace.mutable(share.sums)
      share.gradient.complete(&sums)
      for (array, size) in share.gradient.stepSizes.enumerated() {
        try writeZeros(
          rows: steps - done, width: size, array: array, at: (sequence * steps + done) * size,
          writer: ResultWriter(sink: job.sink, firstArray: share.firstArray), through: slot,
          layout.jacobian.stream)
      }
    }
  }
}

/// Which rows ∂y_o(n)/∂w a gradient is made of.
struct RowRequest: Hashable, Sendable {
  /// Which outputs of y.
  let outputs: OutputSubset
  /// Which n.
  let selection: StepSelection
  /// The columns, in the network's order.
  let parameters: [Parameter]
}

/// A gradient made of rows of ∂y(n)/∂w that are multiplied out in scratch, some steps at a time, and gone then.
protocol RowGradient: RecurrentGradient {
  /// The rows it is made of.
  var rows: RowRequest { get }
  /// Numbers of each array that are sums over steps and sequences; empty if every step has results of its own.
  var sumSizes: [Int] { get }
  /// Numbers of a step in each array, where steps have their own.
  var stepSizes: [Int] { get }
  /// Whether it reads p = softmax(y(n)).
  var needsProbabilities: Bool { get }
  /// Estimated operations of contracting one step's rows.
  var operationsPerStep: Double { get }

  /// Lays out what it computes in, for blocks of at most so many steps.
  func layOut(steps: Int, in layout: inout ScratchLayout) -> [Region]
  /// Adds a block's share to `sums`, or writes what its steps give.
  ///
  /// Implementations are specialised for Double and Float, as they are reached through `any RowGradient`.
  func contract<T: Scalar>(
    _ block: RowBlock<T>, scratch: [Region], sums: Region, to writer: ResultWriter) throws
  /// Completes a sequence's sums, where blocks add to a part of them only.
  func complete<T: Scalar>(_ sums: inout MutableSpan<T>)
}

extension RowGradient {
  var sumSizes: [Int] { [] }
  var stepSizes: [Int] { [] }
  var needsProbabilities: Bool { false }
  func complete<T: Scalar>(_ sums: inout MutableSpan<T>) {}
}

/// The rows of ∂y(n)/∂w of some steps of one sequence, in its workspace.
struct RowBlock<T: Scalar> {
  let layout: RowLayout
  let workspace: Workspace<T>
  /// The leading thread's own memory, with a tile for what goes to the sink.
  let slot: Workspace<T>
  let blas: BLAS
  let team: Team
  let sequence: Int
  /// T.
  let longest: Int
  /// The rows of the time axis.
  let axis: Range<Int>

  /// Numbers of a row.
  var columns: Int { layout.columns }
  /// All rows, (steps, outputs, P).
  var rows: Region {
    layout.rows.part(0..<axis.count * layout.request.outputs.count * columns)
  }
  /// p = softmax(y(n)) at a row of the time axis.
  func probabilities(_ axisRow: Int) -> Region {
    let width = layout.probabilityWidth
    return layout.probabilities.part(axisRow * width..<(axisRow + 1) * width)
  }

  /// Writes `width` numbers for each step of the block, as `fill` gives them step after step.
  func write(
    width: Int, array: Int, to writer: ResultWriter,
    _ fill: (_ step: Int, _ columns: Range<Int>, _ piece: inout MutableSpan<T>) -> Void
  ) throws {
    let first = sequence * layout.request.selection.count(of: longest) + axis.lowerBound
    var stream = TileStream(
      slot.mutable(layout.jacobian.stream), writer: writer, array: array, at: first * width)
    for step in 0..<axis.count {
      try stream.append(rows: 1, width: width) { _, columns, piece in
        fill(step, columns, &piece)
      }
    }
    try stream.finish()
  }
}

/// How a kernel through time is divided, from shapes alone, and where one sequence's work keeps its numbers.
///
/// Some steps of one sequence are the rows of Θ: theirs of ∂y(n)/∂w stay in memory, while those of all sequences are multiplied out
/// some at a time beside them. Sequences are computed again for each such block of steps, which is little where a block has many
/// more rows than R. If both sets of sequences are the same, what is above the diagonal is computed and written twice.
struct RecurrentKernelLayout: Sendable {
  /// One block of rows of Θ.
  struct Task: Sendable {
    let sequence: Int
    /// Rows of the time axis, all of them steps that the sequence has.
    let axis: Range<Int>
  }

  let gradient: RecurrentNeuralTangentKernel
  /// The place of its array in the plan.
  let firstArray: Int
  /// The rows that pass.
  let rows: RowLayout
  /// B, T and lengths along the rows, and along the columns.
  let shape: SequenceShape
  let otherShape: SequenceShape
  /// The most steps of a block.
  let blockSteps: Int
  /// The rows of a block, (steps, outputs, P).
  let left: Region
  /// A tile of Θ, (block's rows, passing rows), and its transpose.
  let tile: Region
  let transpose: Region
  let count: Int
  let hasOverflowed: Bool

  /// Numbers that a block's rows may have, unless one step's are more.
  static let mostNumbers = 1 << 23
  /// Rows of a tile that one thread computes at a time.
  static let strip = 128

  init(
    _ rows: RowLayout, _ gradient: RecurrentNeuralTangentKernel, firstArray: Int,
    shape: SequenceShape
  ) {
    self.gradient = gradient
    self.firstArray = firstArray
    self.rows = rows
    self.shape = shape
    otherShape =
      gradient.others.map { SequenceShape(batch: $0.batch, steps: shape.steps) } ?? shape
    let m = gradient.rows.outputs.count
    let perStep = CheckedSize(product: [m, rows.columns]).value ?? .max
    blockSteps = max(
      1,
      min(
        gradient.rows.selection.count(of: shape.steps),
        RecurrentKernelLayout.mostNumbers / max(1, perStep)))
    var layout = ScratchLayout()
    _ = layout.add("rows of ∂y(n)/∂w", rows: 1, columns: rows.count)
    let (height, overflow) = blockSteps.multipliedReportingOverflow(by: m)
    left = layout.add("block of rows", rows: overflow ? .max : height, columns: rows.columns)
    let passing = max(height, rows.rows.count / max(1, rows.columns))
    tile = layout.add("tile of Θ", rows: overflow ? .max : height, columns: passing)
    transpose = layout.add(
      "transpose", rows: gradient.others == nil && !overflow ? height : 0, columns: passing)
    count = layout.count
    // Rows of one output are m · P apart, which BLAS counts in 32 bits.
    hasOverflowed = layout.hasOverflowed || rows.hasOverflowed || perStep > Int(Int32.max)
  }

  /// Whether both sets of sequences are the same.
  var isSymmetric: Bool { gradient.others == nil }

  /// Steps of the time axis that a sequence of that length has.
  func present(_ length: Int) -> Int {
    gradient.rows.selection.rows(in: 0..<length, length: length).count
  }

  /// The blocks of rows of Θ, in order.
  var tasks: [Task] {
    (0..<shape.batch).flatMap { sequence in
      let steps = present(shape.length(sequence))
      return stride(from: 0, to: steps, by: blockSteps).map {
        Task(sequence: sequence, axis: $0..<min($0 + blockSteps, steps))
      }
    }
  }

  /// The sequences along the columns that pass for a task.
  func columns(of task: Task) -> Range<Int> {
    isSymmetric ? task.sequence..<otherShape.batch : 0..<otherShape.batch
  }

  /// How many blocks progress counts.
  var blockCount: Int {
    let passing = sums { Double(rows.jacobian.blocks(length: $0)) }
    return tasks.reduce(0) { sum, task in
      let own = isSymmetric ? 0 : rows.jacobian.blocks(length: shape.length(task.sequence))
      return sum + own + Int(passing[columns(of: task).lowerBound])
    }
  }

  /// Operations, where `each` gives those of the rows of a sequence of a given length.
  func operations(_ each: (_ length: Int) -> Double) -> Double {
    let m = Double(gradient.rows.outputs.count)
    let perPair = 2 * m * (gradient.form == .full ? m : 1) * Double(rows.columns)
    let passing = sums(each)
    let steps = sums { Double(present($0)) }
    var ofLength: [Int: Double] = [:]
    var total = 0.0
    for task in tasks {
      let length = shape.length(task.sequence)
      let first = columns(of: task).lowerBound
      total += passing[first]
      var others = steps[first]
      if isSymmetric {
        others -= Double(task.axis.lowerBound)
      } else {
        let own = ofLength[length] ?? each(length)
        ofLength[length] = own
        total += own
      }
      total += Double(task.axis.count) * others * perPair
    }
    return total
  }

  /// For each sequence along the columns the sum of what it and all behind it have.
  private func sums(_ each: (_ length: Int) -> Double) -> [Double] {
    var ofLength: [Int: Double] = [:]
    for length in otherShape.distinctLengths { ofLength[length] = each(length) }
    var sums = [Double](repeating: 0, count: otherShape.batch + 1)
    for sequence in (0..<otherShape.batch).reversed() {
      sums[sequence] = sums[sequence + 1] + (ofLength[otherShape.length(sequence)] ?? 0)
    }
    return sums
  }

  /// What is told of it in the plan.
  var sentence: String {
    "kernel of \(blockSteps * gradient.rows.outputs.count) rows of ∂y(n)/∂w at a time by all others"
      + (isSymmetric ? " behind them" : "")
  }
}

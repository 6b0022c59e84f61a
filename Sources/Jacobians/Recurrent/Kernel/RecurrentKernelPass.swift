/// Computes one block of rows of a kernel through time: its rows of ∂y(n)/∂w, then their products with those of all sequences.
struct RecurrentKernelPass<T: Scalar>: Sendable {
  let layout: RecurrentKernelLayout
  let job: RecurrentJob<T>
  /// The sequences along the columns.
  let others: RecurrentJob<T>
  let team: Team
  let place: SequencePlace<T>

  private var workspace: Workspace<T> { place.workspace }
  private var outputs: Int { layout.gradient.rows.outputs.count }
  private var columns: Int { layout.rows.columns }
  /// Rows of the time axis.
  private var steps: Int { layout.gradient.rows.selection.count(of: layout.shape.steps) }
  private var writer: ResultWriter { ResultWriter(sink: job.sink, firstArray: layout.firstArray) }

  /// Everything of one block; what its sequence's numbers were like, if they are counted.
  func run(_ task: RecurrentKernelLayout.Task, counts: Bool) throws -> Numerics {
    var numerics = Numerics()
    let isFirst = counts && task.axis.lowerBound == 0
    if !layout.isSymmetric {
      numerics.add(
        try pass(task.sequence, of: job, counts: isFirst) { block in keep(block, task) })
    }
    for other in layout.columns(of: task) {
      let isOwn = layout.isSymmetric && other == task.sequence
      let seen = try pass(other, of: others, counts: isFirst && isOwn) { block in
        guard isOwn else {
          try multiply(task, by: block, from: block.axis.lowerBound)
          return
        }
        // The block's own rows come first; when all of them are there, their own square is due.
        if block.axis.lowerBound < task.axis.upperBound {
          keep(block, task)
          if block.axis.upperBound >= task.axis.upperBound { try square(task) }
        }
        let next = max(block.axis.lowerBound, task.axis.upperBound)
        if next < block.axis.upperBound { try multiply(task, by: block, from: next) }
      }
      numerics.add(seen)
    }
    return numerics
  }

  /// Multiplies out the rows of a sequence.
  private func pass(
    _ sequence: Int, of job: RecurrentJob<T>, counts: Bool = false,
    _ taker: @escaping @Sendable (RowBlock<T>) throws -> Void
  ) throws -> Numerics {
    let consumer = RowConsumer(
      layout.rows, job: job, team: team, workspace: workspace, slot: place.slots[0], taker: taker)
    var path = Trajectory(
      layout.rows.jacobian.trajectory, of: sequence, in: job, workspace: workspace,
      counts: counts)
    try JacobianPass(
      layout: layout.rows.jacobian, job: job, target: layout.rows.target,
      writer: consumer.writer, team: team, workspace: workspace, slots: place.slots,
      consumer: consumer
    ).run(&path, length: job.problem.shape.length(sequence))
    return path.numerics
  }

  /// Keeps what a round has of the block's rows.
  private func keep(_ block: RowBlock<T>, _ task: RecurrentKernelLayout.Task) {
    let common = block.axis.clamped(to: task.axis)
    guard !common.isEmpty else { return }
    let size = outputs * columns
    let from = common.lowerBound - block.axis.lowerBound
    let to = common.lowerBound - task.axis.lowerBound
    var kept = workspace.mutable(
      layout.left.part(to * size..<(to + common.count) * size))
    copy(
      workspace.numbers(layout.rows.rows.part(from * size..<(from + common.count) * size)),
      to: &kept)
  }

  /// The block's rows by themselves, the same bits on both sides of the diagonal.
  private func square(_ task: RecurrentKernelLayout.Task) throws {
    try products(
      task, of: task.sequence, task.axis, layout.left, isSquare: true)
  }

  /// The block's rows by those of a round from a row of the time axis on.
  private func multiply(
    _ task: RecurrentKernelLayout.Task, by block: RowBlock<T>, from first: Int
  ) throws {
    let size = outputs * columns
    let skipped = first - block.axis.lowerBound
    try products(
      task, of: block.sequence, first..<block.axis.upperBound,
      layout.rows.rows.part(skipped * size..<block.axis.count * size), isSquare: false)
  }

  /// Products of the block's rows with others, written where they belong.
  private func products(
    _ task: RecurrentKernelLayout.Task, of other: Int, _ axis: Range<Int>, _ right: Region,
    isSquare: Bool
  ) throws {
    // Of one output the rows are m · P apart.
    let layout = layout
    let columns = columns
    let isFull = layout.gradient.form == .full
    for output in 0..<(isFull ? 1 : outputs) {
      let perStep = isFull ? outputs : 1
      let stride = isFull ? columns : outputs * columns
      let height = task.axis.count * perStep
      let width = axis.count * perStep
      let workspace = workspace
      let blas = job.products.blas
      let strip = RecurrentKernelLayout.strip
      try team.share((height - 1) / strip + 1) { part, _ in
        let first = part * strip
        let count = min(strip, height - first)
        var tile = workspace.mutable(layout.tile.part(first * width..<(first + count) * width))
        blas.multiply(
          Matrix(
            workspace.numbers(layout.left), at: output * columns + first * stride, rows: count,
            columns: columns, stride: stride),
          Matrix(
            workspace.numbers(right), at: output * columns, rows: width, columns: columns,
            stride: stride
          ).transposed, into: &tile)
      }
      if isSquare {
        var tile = workspace.mutable(layout.tile)
        for i in 0..<height { for j in 0..<i { tile[i * width + j] = tile[j * width + i] } }
      }
      try write(
        layout.tile, output, rows: (task.sequence, task.axis), columns: (other, axis),
        height: height, width: width, batches: (layout.shape.batch, layout.otherShape.batch))
      if layout.isSymmetric && !isSquare {
        do {
          var turned = workspace.mutable(layout.transpose)
          transpose(
            workspace.numbers(layout.tile), rows: height, columns: width, into: &turned, at: 0,
            stride: height)
        }
        try write(
          layout.transpose, output, rows: (other, axis), columns: (task.sequence, task.axis),
          height: width, width: height, batches: (layout.otherShape.batch, layout.shape.batch))
      }
    }
  }

  /// Writes a tile row by row; `rows` and `columns` are its sequences and rows of their time axes.
  private func write(
    _ tile: Region, _ output: Int, rows: (sequence: Int, axis: Range<Int>),
    columns: (sequence: Int, axis: Range<Int>), height: Int, width: Int,
    batches: (rows: Int, columns: Int)
  ) throws {
    let perStep = height / rows.axis.count
    let rowLength = batches.columns * steps * perStep
    let first =
      (output * batches.rows * steps + rows.sequence * steps + rows.axis.lowerBound) * perStep
    let column = (columns.sequence * steps + columns.axis.lowerBound) * perStep
    let numbers = workspace.numbers(tile)
    for i in 0..<height {
      try writer.write(
        numbers.extracting(i * width..<(i + 1) * width), array: 0,
        at: (first + i) * rowLength + column)
    }
  }

  /// Writes zeros to rows and columns of steps that sequences do not have.
  func writeRest() throws {
    let isFull = layout.gradient.form == .full
    let perStep = isFull ? outputs : 1
    let rowLength = layout.otherShape.batch * steps * perStep
    let slot = place.slots[0]
    let stream = layout.rows.jacobian.stream
    for output in 0..<(isFull ? 1 : outputs) {
      for b in 0..<layout.shape.batch {
        let present = layout.present(layout.shape.length(b)) * perStep
        let first = (output * layout.shape.batch + b) * steps * perStep
        try writeZeros(
          rows: steps * perStep - present, width: rowLength, array: 0,
          at: (first + present) * rowLength, writer: writer, through: slot, stream)
        for c in 0..<layout.otherShape.batch {
          let there = layout.present(layout.otherShape.length(c)) * perStep
          guard there < steps * perStep else { continue }
          for row in first..<first + present {
            try writeZeros(
              rows: 1, width: steps * perStep - there, array: 0,
              at: row * rowLength + c * steps * perStep + there, writer: writer, through: slot,
              stream)
          }
        }
      }
    }
  }
}

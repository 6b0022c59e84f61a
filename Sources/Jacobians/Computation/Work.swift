/// What a gradient writes while it contracts a block: its arrays, by a tile, or its sums, by shares.
package struct Work<T: Scalar>: ~Copyable, ~Escapable {
  private var numbers: MutableSpan<T>
  private let tile: Region
  private let share: Region
  private let sums: [OrderedSums<T>]
  private let block: Int

  /// What the gradient computes in, laid out by `layOut`; this thread's alone.
  let workspace: Workspace<T>
  /// Writes the gradient's arrays.
  package let writer: ResultWriter

  @_lifetime(copy numbers)
  init(
    _ numbers: consuming MutableSpan<T>, tile: Region, share: Region, workspace: Workspace<T>,
    sums: [OrderedSums<T>], block: Int, writer: ResultWriter
  ) {
    self.numbers = numbers
    self.tile = tile
    self.share = share
    self.workspace = workspace
    self.sums = sums
    self.block = block
    self.writer = writer
  }

  /// Adds this block's share to array `array` of a summed gradient; `fill` sets every number of the share.
  ///
  /// Shares are added in the order of blocks, so that the bits of a sum do not depend on threads.
  package mutating func add(to array: Int, _ fill: (inout MutableSpan<T>) -> Void) throws {
    let sum = sums[array]
    var share = numbers._mutatingExtracting(share.offset..<share.offset + sum.count)
    fill(&share)
    guard sum.add(share.span, ofBlock: block) else { throw AbandonedBlock() }
  }

  /// A stream into array `array` of the gradient from number `position` on.
  @_lifetime(&self)
  package mutating func stream(array: Int, at position: Int) -> TileStream<T> {
    TileStream(
      numbers._mutatingExtracting(tile.offset..<tile.end), writer: writer, array: array,
      at: position)
  }

  /// Writes the rows of `outputs` among a block's stacked rows (samples, outputs pulled back, width).
  package mutating func writeRows(
    _ rows: Span<T>, of outputs: OutputSubset, width: Int, in block: borrowing Block<T>, array: Int
  ) throws {
    let position = block.samples.lowerBound * outputs.count * width
    let rowsPerSample = block.rowsPerSample
    if outputs == block.stages.needs.localGradients?.outputs {
      try writer.write(rows, array: array, at: position)
      return
    }
    var stream = stream(array: array, at: position)
    for sample in 0..<block.samples.count {
      for output in outputs {
        let start = (sample * rowsPerSample + block.row(of: output)) * width
        let row = rows.extracting(start..<start + width)
        try stream.append(rows: 1, width: width) { _, columns, piece in
          copy(row.extracting(columns), to: &piece)
        }
      }
    }
    try stream.finish()
  }
}

/// A block given up because another one failed; that failure is the job's.
struct AbandonedBlock: Error {}

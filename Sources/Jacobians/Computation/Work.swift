/// What a gradient writes while it contracts a block: a tile, the block's share of sums, its arrays.
package struct Work<T: Scalar>: ~Copyable, ~Escapable {
  private var numbers: MutableSpan<T>
  private let tile: Region
  private let partial: Region

  /// Writes the gradient's arrays.
  package let writer: ResultWriter

  @_lifetime(copy numbers)
  init(
    _ numbers: consuming MutableSpan<T>, tile: Region, partial: Region, writer: ResultWriter
  ) {
    self.numbers = numbers
    self.tile = tile
    self.partial = partial
    self.writer = writer
  }

  /// The sums over this block's samples, to be set by a gradient with `sumCount` > 0.
  ///
  /// The engine adds them to the job's sums in the order of blocks, so the bits do not depend on threads.
  package var sums: MutableSpan<T> {
    @_lifetime(&self)
    mutating get { numbers._mutatingExtracting(partial.offset..<partial.end) }
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

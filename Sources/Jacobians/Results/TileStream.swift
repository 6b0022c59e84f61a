/// A contiguous range of one array, filled number by number through a tile that stays in cache.
///
/// A full tile goes to the sink at its own offset; `finish` hands over the rest.
package struct TileStream<T: Scalar>: ~Copyable, ~Escapable {
  private var tile: MutableSpan<T>
  private var filled = 0
  private var position: Int
  private let array: Int
  private let writer: ResultWriter

  /// The size of a tile in bytes: still in cache when it is written, and few enough writes (docs/writing.md).
  package static var byteCount: Int { 1 << 20 }

  /// Begins at number `position` of array `array` of a gradient.
  @_lifetime(copy tile)
  init(_ tile: consuming MutableSpan<T>, writer: ResultWriter, array: Int, at position: Int) {
    precondition(!tile.isEmpty, "a tile has room")
    self.tile = tile
    self.writer = writer
    self.array = array
    self.position = position
  }

  /// Appends rows × width numbers, in pieces that `fill` writes whole.
  ///
  /// A piece is some rows, all columns; where a row is longer than a tile, a piece is some columns of one row.
  @_lifetime(self: copy self)
  @inline(__always)
  package mutating func append(
    rows: Int, width: Int,
    _ fill: (_ rows: Range<Int>, _ columns: Range<Int>, _ piece: inout MutableSpan<T>) -> Void
  ) throws {
    if width <= tile.count {
      var row = 0
      while row < rows {
        if tile.count - filled < width { try flush() }
        let count = min(rows - row, (tile.count - filled) / max(width, 1))
        var piece = tile._mutatingExtracting(filled..<filled + count * width)
        fill(row..<row + count, 0..<width, &piece)
        filled += count * width
        row += count
      }
    } else {
      for row in 0..<rows {
        var column = 0
        while column < width {
          if filled == tile.count { try flush() }
          let count = min(width - column, tile.count - filled)
          var piece = tile._mutatingExtracting(filled..<filled + count)
          fill(row..<row + 1, column..<column + count, &piece)
          filled += count
          column += count
        }
      }
    }
  }

  /// Appends δ ⊗ a, (column.count × row.count), past the tile if the sink has memory to store it in; else returns false.
  ///
  /// What is that large is stored past the caches: nobody reads it before other results have driven it out.
  @_lifetime(self: copy self)
  mutating func appendDirectly(_ column: Span<T>, times row: Span<T>) throws -> Bool {
    let count = column.count * row.count
    let size = MemoryLayout<T>.stride
    guard VectorInstructions.areUsable, count * size >= Self.directBytes,
      let room = unsafe writer.sink.room(
        array: writer.firstArray + array, at: (position + filled) * size, byteCount: count * size)
    else { return false }
    precondition(room.count == count * size, "a sink's room has the size asked for")
    try flush()
    unsafe VectorInstructions.storeOuterProduct(column, row, at: room)
    position += count
    return true
  }

  /// An outer product of fewer bytes goes through the tile.
  private static var directBytes: Int { 8 << 10 }

  /// Hands numbers that stand together already to the sink, past the tile.
  @_lifetime(self: copy self)
  mutating func pass(_ numbers: Span<T>) throws {
    try flush()
    try writer.write(numbers, array: array, at: position)
    position += numbers.count
  }

  /// Hands what the tile still holds to the sink.
  package consuming func finish() throws { try flush() }

  @_lifetime(self: copy self)
  private mutating func flush() throws {
    try writer.write(tile.span.extracting(0..<filled), array: array, at: position)
    position += filled
    filled = 0
  }
}

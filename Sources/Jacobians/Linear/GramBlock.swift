private import CVector

/// Blocks of Gram matrices of packed rows, which CVector/gram.h computes in registers.
///
/// Rows lie in panels of `width`: number k of row r of a panel is at k · width + r. A block is `rows` rows, three panels,
/// by `width` columns, one panel, and lies column by column. The bits of a product depend on its two rows alone.
enum GramBlock<T: Scalar> {
  /// Rows of a panel: as many as a line of the cache has numbers.
  static var width: Int { 64 / MemoryLayout<T>.stride }
  /// Rows of a block.
  static var rows: Int { 3 * width }
  /// Numbers of a block.
  static var count: Int { rows * width }

  /// How many panels so many rows fill.
  static func panels(_ rows: Int) -> Int { (rows + width - 1) / width }
}

/// The instructions that blocks are computed with.
enum GramInstructions: CaseIterable {
  case plain, avx2, avx512

  /// Whether this processor has them.
  var areUsable: Bool {
    switch self {
    case .plain: true
    case .avx2: VectorInstructions.areUsable
    case .avx512: nnjobs_has_avx512() != 0
    }
  }

  /// The widest that this processor has.
  static let best: GramInstructions = allCases.last { $0.areUsable } ?? .plain
}

/// The columns of a tile, and what blocks are multiplied by: a row of factors for each sample's columns.
struct GramColumns {
  /// How many columns the tile has; a panel's behind the last one take the last one's factors.
  let count: Int
  /// How many columns of a sample follow one another.
  let outputs: Int
  /// How far apart the rows of factors are.
  let stride: Int

  /// Where the last row of factors of so many rows ends.
  func end(_ rows: Int) -> Int { (count - 1) / outputs * stride + rows }
}

extension GramInstructions {
  /// block ← (block +) (rows columnsᵀ) ∘ factors.
  ///
  /// `rows` are three panels of `rows` numbers from the places given on, `columns` one panel, all of `depth` numbers a
  /// row; `factors` begin with those of the tile's first column and the block's first row; `column` counts in the tile.
  @inline(__always)
  func add<T: Scalar>(
    _ rows: Span<T>, at places: (Int, Int, Int), times columns: Span<T>, depth: Int,
    factors: Span<T>, of tile: GramColumns, column: Int, adding: Bool,
    into block: inout MutableSpan<T>
  ) {
    let size = depth * GramBlock<T>.width
    let (first, second, third) = places
    precondition(
      min(first, second, third) >= 0 && max(first, second, third) + size <= rows.count
        && columns.count >= size, "panels lie inside their numbers")
    precondition(column >= 0 && column < tile.count, "a block begins inside its tile")
    precondition(factors.count >= tile.end(GramBlock<T>.rows), "every column has its factors")
    precondition(block.count == GramBlock<T>.count, "a block is whole")
    // All extents were checked above.
    unsafe rows.withUnsafeBufferPointer { rows in
      unsafe columns.withUnsafeBufferPointer { columns in
        unsafe factors.withUnsafeBufferPointer { factors in
          unsafe block.withUnsafeMutableBufferPointer { block in
            let r = unsafe UnsafeRawPointer(rows.baseAddress)
            let c = unsafe UnsafeRawPointer(columns.baseAddress)
            let f = unsafe UnsafeRawPointer(factors.baseAddress)
            let b = UnsafeMutableRawPointer(block.baseAddress)
            if T.self == Double.self {
              let r = unsafe r?.assumingMemoryBound(to: Double.self)
              let function =
                switch self {
                case .plain: unsafe nnjobs_gram_plain_f64
                case .avx2: unsafe nnjobs_gram_avx2_f64
                case .avx512: unsafe nnjobs_gram_avx512_f64
                }
              unsafe function(
                r?.advanced(by: first), r?.advanced(by: second), r?.advanced(by: third),
                c?.assumingMemoryBound(to: Double.self), depth,
                f?.assumingMemoryBound(to: Double.self), tile.stride, tile.outputs, column,
                tile.count, adding ? 1 : 0, b?.assumingMemoryBound(to: Double.self))
            } else {
              let r = unsafe r?.assumingMemoryBound(to: Float.self)
              let function =
                switch self {
                case .plain: unsafe nnjobs_gram_plain_f32
                case .avx2: unsafe nnjobs_gram_avx2_f32
                case .avx512: unsafe nnjobs_gram_avx512_f32
                }
              unsafe function(
                r?.advanced(by: first), r?.advanced(by: second), r?.advanced(by: third),
                c?.assumingMemoryBound(to: Float.self), depth,
                f?.assumingMemoryBound(to: Float.self), tile.stride, tile.outputs, column,
                tile.count, adding ? 1 : 0, b?.assumingMemoryBound(to: Float.self))
            }
          }
        }
      }
    }
  }

  /// block ← rows ∘ factors, each column times its slope: `rows` has for each output one as long as those of factors.
  ///
  /// Column j's slope is at j · `apart` of `slopes`.
  @inline(__always)
  func start<T: Scalar>(
    _ rows: Span<T>, slopes: Span<T>, apart: Int, factors: Span<T>, of tile: GramColumns,
    column: Int, into block: inout MutableSpan<T>
  ) {
    precondition(column >= 0 && column < tile.count, "a block begins inside its tile")
    precondition(factors.count >= tile.end(GramBlock<T>.rows), "every column has its factors")
    precondition(
      rows.count >= (tile.outputs - 1) * tile.stride + GramBlock<T>.rows, "every output has a row")
    precondition(slopes.count > (tile.count - 1) * apart, "every column has a slope")
    precondition(block.count == GramBlock<T>.count, "a block is whole")
    // All extents were checked above.
    unsafe rows.withUnsafeBufferPointer { rows in
      unsafe slopes.withUnsafeBufferPointer { slopes in
        unsafe factors.withUnsafeBufferPointer { factors in
          unsafe block.withUnsafeMutableBufferPointer { block in
            let r = unsafe UnsafeRawPointer(rows.baseAddress)
            let s = unsafe UnsafeRawPointer(slopes.baseAddress)
            let f = unsafe UnsafeRawPointer(factors.baseAddress)
            let b = UnsafeMutableRawPointer(block.baseAddress)
            if T.self == Double.self {
              let function =
                switch self {
                case .plain: unsafe nnjobs_gram_plain_f64_diagonal
                case .avx2: unsafe nnjobs_gram_avx2_f64_diagonal
                case .avx512: unsafe nnjobs_gram_avx512_f64_diagonal
                }
              unsafe function(
                r?.assumingMemoryBound(to: Double.self), s?.assumingMemoryBound(to: Double.self),
                apart, f?.assumingMemoryBound(to: Double.self), tile.stride, tile.outputs, column,
                tile.count, b?.assumingMemoryBound(to: Double.self))
            } else {
              let function =
                switch self {
                case .plain: unsafe nnjobs_gram_plain_f32_diagonal
                case .avx2: unsafe nnjobs_gram_avx2_f32_diagonal
                case .avx512: unsafe nnjobs_gram_avx512_f32_diagonal
                }
              unsafe function(
                r?.assumingMemoryBound(to: Float.self), s?.assumingMemoryBound(to: Float.self),
                apart, f?.assumingMemoryBound(to: Float.self), tile.stride, tile.outputs, column,
                tile.count, b?.assumingMemoryBound(to: Float.self))
            }
          }
        }
      }
    }
  }
}

extension GramBlock {
  /// Packs `rows` rows of `depth` numbers, `stride` apart from `start` on, into one panel from its row `place` on.
  static func pack(
    _ numbers: Span<T>, from start: Int, stride: Int, rows: Int, depth: Int,
    into panel: inout MutableSpan<T>, at place: Int
  ) {
    guard rows > 0, depth > 0 else { return }
    precondition(
      start >= 0 && stride >= 0 && start + (rows - 1) * stride + depth <= numbers.count,
      "rows lie inside their numbers")
    precondition(
      place >= 0 && place + rows <= width && panel.count == depth * width, "a panel has room")
    // All extents were checked above.
    unsafe numbers.withUnsafeBufferPointer { numbers in
      unsafe panel.withUnsafeMutableBufferPointer { panel in
        let from = unsafe UnsafeRawPointer(numbers.baseAddress)
        let to = UnsafeMutableRawPointer(panel.baseAddress)
        if T.self == Double.self {
          unsafe nnjobs_gram_pack_f64(
            from?.assumingMemoryBound(to: Double.self).advanced(by: start), stride, rows, depth,
            to?.assumingMemoryBound(to: Double.self), place)
        } else {
          unsafe nnjobs_gram_pack_f32(
            from?.assumingMemoryBound(to: Float.self).advanced(by: start), stride, rows, depth,
            to?.assumingMemoryBound(to: Float.self), place)
        }
      }
    }
  }
}

/// A part of a matrix that somebody holds, its rows `stride` numbers apart, into which blocks are stored.
@safe struct BlockPlace<T: Scalar> {
  private let base: UnsafeMutablePointer<T>
  private let rows: Int
  private let columns: Int
  private let stride: Int
  /// Past the caches: for memory that nobody reads before it has left them.
  private let isPast: Bool

  /// The (rows × columns) numbers at `memory`, which has to live as long as blocks are stored and holds all of them.
  @unsafe init(
    _ memory: UnsafeMutableRawBufferPointer, rows: Int, columns: Int, stride: Int, isPast: Bool
  ) {
    precondition(
      rows > 0 && columns > 0 && stride >= columns
        && memory.count >= ((rows - 1) * stride + columns) * MemoryLayout<T>.stride,
      "a part lies inside its memory")
    guard let first = memory.baseAddress else { preconditionFailure("memory has an address") }
    unsafe base = first.assumingMemoryBound(to: T.self)
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.isPast = isPast
  }

  /// Stores the first `rows` by `columns` of a block with its first number at (`row`, `column`).
  func store(_ block: Span<T>, rows: Int, columns: Int, row: Int, column: Int) {
    check(rows, columns, row, column, block)
    // The block's place was checked.
    unsafe block.withUnsafeBufferPointer { block in
      let from = unsafe UnsafeRawPointer(block.baseAddress)
      let to = unsafe UnsafeMutableRawPointer(base + row * stride + column)
      if T.self == Double.self {
        unsafe nnjobs_gram_store_f64(
          from?.assumingMemoryBound(to: Double.self), rows, columns,
          to.assumingMemoryBound(to: Double.self), stride, isPast ? 1 : 0)
      } else {
        unsafe nnjobs_gram_store_f32(
          from?.assumingMemoryBound(to: Float.self), rows, columns,
          to.assumingMemoryBound(to: Float.self), stride, isPast ? 1 : 0)
      }
    }
  }

  /// Stores the transpose of the first `rows` by `columns` of a block with its first number at (`row`, `column`).
  func storeTurned(_ block: Span<T>, rows: Int, columns: Int, row: Int, column: Int) {
    check(columns, rows, row, column, block)
    // The block's place was checked.
    unsafe block.withUnsafeBufferPointer { block in
      let from = unsafe UnsafeRawPointer(block.baseAddress)
      let to = unsafe UnsafeMutableRawPointer(base + row * stride + column)
      if T.self == Double.self {
        unsafe nnjobs_gram_turn_f64(
          from?.assumingMemoryBound(to: Double.self), rows, columns,
          to.assumingMemoryBound(to: Double.self), stride, isPast ? 1 : 0)
      } else {
        unsafe nnjobs_gram_turn_f32(
          from?.assumingMemoryBound(to: Float.self), rows, columns,
          to.assumingMemoryBound(to: Float.self), stride, isPast ? 1 : 0)
      }
    }
  }

  /// Stores one number.
  func store(_ number: T, row: Int, column: Int) {
    precondition(
      row >= 0 && column >= 0 && row < rows && column < columns, "a number has its place")
    unsafe base[row * stride + column] = number
  }

  /// Makes all that was stored visible before whatever the caller does next.
  func finish() { if isPast { nnjobs_stores_done() } }

  private func check(_ rows: Int, _ columns: Int, _ row: Int, _ column: Int, _ block: Span<T>) {
    precondition(
      rows >= 0 && columns >= 0 && row >= 0 && column >= 0 && row + rows <= self.rows
        && column + columns <= self.columns && block.count == GramBlock<T>.count,
      "a block has its place")
  }
}

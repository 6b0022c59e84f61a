/// A matrix in somebody's numbers, row-major: entry (i, j) is at i · stride + j.
///
/// Row-major is the order of every array of the engine, of `.npy` files and of PyTorch's weights.
package struct Matrix<T: Scalar>: ~Escapable {
  /// The numbers from entry (0, 0) on.
  package let numbers: Span<T>
  /// How many rows it has, after transposition.
  package let rows: Int
  /// How many columns it has, after transposition.
  package let columns: Int
  /// How far apart the beginnings of two stored rows are.
  package let stride: Int
  /// Whether the stored matrix is the transpose of this one.
  package let isTransposed: Bool

  /// The (rows × columns) matrix whose entry (0, 0) is at `offset`, its rows `stride` apart (or touching).
  @_lifetime(copy numbers)
  package init(
    _ numbers: Span<T>, at offset: Int = 0, rows: Int, columns: Int, stride: Int? = nil
  ) {
    let stride = stride ?? max(columns, 1)
    precondition(rows >= 0 && columns >= 0 && offset >= 0, "extents are not negative")
    precondition(stride >= max(columns, 1), "rows do not overlap")
    precondition(
      max(rows, columns, stride) <= Int(Int32.max), "BLAS counts rows and columns in 32 bits")
    let extent = rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns
    precondition(offset + extent <= numbers.count, "a matrix lies inside its numbers")
    self.numbers = numbers.extracting(offset..<(offset + extent))
    self.rows = rows
    self.columns = columns
    self.stride = stride
    isTransposed = false
  }

  @_lifetime(copy original)
  private init(transposing original: Self) {
    numbers = original.numbers
    rows = original.columns
    columns = original.rows
    stride = original.stride
    isTransposed = !original.isTransposed
  }

  /// The same numbers read as the transpose.
  package var transposed: Self {
    @_lifetime(copy self)
    get { Matrix(transposing: self) }
  }
}

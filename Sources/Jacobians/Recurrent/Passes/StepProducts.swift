/// Products of a few rows with a small matrix: what every step of a sequence waits for.
///
/// A call of BLAS takes a tenth of a microsecond for one row, half a microsecond for several, before it computes
/// anything. A row at a time through all of W, which is in cache, keeps y in registers: that is faster with vector
/// instructions; without them only for small matrices, by a loop over rows of W, four at a time.
struct StepProducts: Sendable {
  let blas: BLAS
  /// Whether vector instructions may be used; without them results differ in rounding alone.
  var usesVectors = VectorInstructions.areUsable
  /// What multiplies many small matrices.
  var panels = Panels.usual
  /// A row with so many multiplications, W in the second-level cache, is left to vector instructions.
  static let vectorLimit = 1 << 15
  /// Rows with so many multiplications each are left to the plain loop.
  static let plainLimit = 256
  /// More rows with so many multiplications each, W in the second-level cache, go in panels.
  static let panelLimit = 1 << 17
  /// Up to so many rows go one by one: a product of matrices takes as long to prepare.
  static let singleRows = 3

  /// y ← X W, or y ← y + X W: X is (rows × depth), W is (depth × width) with rows `stride` apart from `offset` on.
  ///
  /// X's rows are `xStride` apart and begin at `xOffset`; y is (rows × width) without gaps.
  @inline(__always)
  func multiply<T: Scalar>(
    _ x: Span<T>, at xOffset: Int, stride xStride: Int, rows: Int, depth: Int,
    _ w: Span<T>, at offset: Int, stride: Int, width: Int, adding: Bool,
    into y: inout MutableSpan<T>
  ) {
    guard rows > 0, width > 0 else { return }
    if rows <= StepProducts.singleRows, depth * width <= StepProducts.vectorLimit,
      usesVectors
    {
      for r in 0..<rows {
        let start = xOffset + r * xStride
        var row = y._mutatingExtracting(r * width..<(r + 1) * width)
        VectorInstructions.accumulate(
          x.extracting(start..<start + depth), w, at: offset, stride: stride, adding: adding,
          into: &row)
      }
    } else if depth * width <= StepProducts.plainLimit {
      for r in 0..<rows {
        let start = xOffset + r * xStride
        var row = y._mutatingExtracting(r * width..<(r + 1) * width)
        accumulate(
          x.extracting(start..<start + depth), w, at: offset, stride: stride, adding: adding,
          into: &row)
      }
    } else if rows <= StepProducts.singleRows {
      let matrix = Matrix(w, at: offset, rows: depth, columns: width, stride: stride).transposed
      for r in 0..<rows {
        let start = xOffset + r * xStride
        var row = y._mutatingExtracting(r * width..<(r + 1) * width)
        blas.multiply(
          matrix, vector: x.extracting(start..<start + depth), adding: adding, into: &row)
      }
    } else {
      blas.multiply(
        Matrix(x, at: xOffset, rows: rows, columns: depth, stride: xStride),
        Matrix(w, at: offset, rows: depth, columns: width, stride: stride),
        adding: adding ? 1 : 0, into: &y)
    }
  }
}

/// y ← Σ_k x_k W[k, :], or y ← y + that sum.
@inline(__always)
func accumulate<T: Scalar>(
  _ x: Span<T>, _ w: Span<T>, at offset: Int, stride: Int, adding: Bool,
  into y: inout MutableSpan<T>
) {
  let width = y.count
  if !adding { for i in y.indices { y[i] = 0 } }
  var k = 0
  while k + 4 <= x.count {
    let start = offset + k * stride
    let w0 = w.extracting(start..<start + width)
    let w1 = w.extracting(start + stride..<start + stride + width)
    let w2 = w.extracting(start + 2 * stride..<start + 2 * stride + width)
    let w3 = w.extracting(start + 3 * stride..<start + 3 * stride + width)
    let (x0, x1, x2, x3) = (x[k], x[k + 1], x[k + 2], x[k + 3])
    for i in 0..<width {
      y[i] += (x0 * w0[i] + x1 * w1[i]) + (x2 * w2[i] + x3 * w3[i])
    }
    k += 4
  }
  while k < x.count {
    let start = offset + k * stride
    let row = w.extracting(start..<start + width)
    let factor = x[k]
    for i in 0..<width { y[i] += factor * row[i] }
    k += 1
  }
}

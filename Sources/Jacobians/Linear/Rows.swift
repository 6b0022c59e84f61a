// Loops over rows of a block that are no matrix products: each runs through memory once.
// All are small enough that the optimiser makes a Double and a Float copy of each where it is called.

/// Copies all numbers of `source` to the beginning of `target`.
@inline(__always)
func copy<T: Scalar>(_ source: Span<T>, to target: inout MutableSpan<T>) {
  precondition(target.count >= source.count)
  // Checked above: as many numbers as there are, between two places that exclusive access keeps apart.
  unsafe target.withUnsafeMutableBufferPointer { target in
    unsafe source.withUnsafeBytes { source in
      unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
    }
  }
}

/// Fills the first `rows` rows of `target` with copies of one row.
@inline(__always)
func fillRows<T: Scalar>(_ target: inout MutableSpan<T>, with row: Span<T>, rows: Int) {
  for r in 0..<rows {
    var place = target._mutatingExtracting(r * row.count..<(r + 1) * row.count)
    for i in row.indices { place[i] = row[i] }
  }
}

/// result_i = a_i − b_i for all of `b`.
@inline(__always)
func subtract<T: Scalar>(_ b: Span<T>, from a: Span<T>, into result: inout MutableSpan<T>) {
  precondition(a.count >= b.count && result.count >= b.count)
  for i in b.indices { result[i] = a[i] - b[i] }
}

/// result_i += a_i.
@inline(__always)
func add<T: Scalar>(_ a: Span<T>, to result: inout MutableSpan<T>) {
  precondition(result.count == a.count)
  for i in a.indices { result[i] += a[i] }
}

/// result[s, r, :] = factors[s, outputs_r] · matrix[outputs_r, :]; without factors they are ones.
@inline(__always)
func scaleRows<T: Scalar>(
  of matrix: Span<T>, by factors: Span<T>, into result: inout MutableSpan<T>, samples: Int,
  outputs: OutputSubset, width: Int, factorWidth: Int
) {
  for s in 0..<samples {
    for r in outputs.indices {
      let o = outputs[r]
      let factor = factors.isEmpty ? 1 : factors[s * factorWidth + o]
      let row = matrix.extracting(o * width..<(o + 1) * width)
      let start = (s * outputs.count + r) * width
      var place = result._mutatingExtracting(start..<start + width)
      for i in row.indices { place[i] = factor * row[i] }
    }
  }
}

/// result[j, i] = column[j] · row[i] for `column.count` rows: a tile of an outer product.
@inline(__always)
func outerProduct<T: Scalar>(
  _ column: Span<T>, _ row: Span<T>, into result: inout MutableSpan<T>
) {
  precondition(result.count == column.count * row.count)
  for j in column.indices {
    let factor = column[j]
    var place = result._mutatingExtracting(j * row.count..<(j + 1) * row.count)
    for i in row.indices { place[i] = factor * row[i] }
  }
}

/// result_i = Σ_r rows[r, i] over rows as long as `result`.
@inline(__always)
func sumRows<T: Scalar>(_ rows: Span<T>, into result: inout MutableSpan<T>) {
  let width = result.count
  for i in result.indices { result[i] = 0 }
  for start in Swift.stride(from: 0, to: rows.count, by: max(width, 1)) {
    let row = rows.extracting(start..<start + width)
    for i in row.indices { result[i] += row[i] }
  }
}

/// result_i += a_i b_i.
@inline(__always)
func addProduct<T: Scalar>(_ a: Span<T>, _ b: Span<T>, to result: inout MutableSpan<T>) {
  precondition(a.count == result.count && b.count == result.count)
  for i in result.indices { result[i] += a[i] * b[i] }
}

/// result_i = Σ_r rows[r, i]² over rows as long as `result`, or result_i + that.
@inline(__always)
func sumSquares<T: Scalar>(_ rows: Span<T>, adding: Bool, into result: inout MutableSpan<T>) {
  if VectorInstructions.areUsable {
    VectorInstructions.sumSquares(rows, adding: adding, into: &result)
    return
  }
  let width = result.count
  if !adding { for i in result.indices { result[i] = 0 } }
  for start in Swift.stride(from: 0, to: rows.count, by: max(width, 1)) {
    let row = rows.extracting(start..<start + width)
    addProduct(row, row, to: &result)
  }
}

/// result_i += factor · a_i.
@inline(__always)
func addScaled<T: Scalar>(_ a: Span<T>, by factor: T, to result: inout MutableSpan<T>) {
  precondition(a.count == result.count)
  for i in result.indices { result[i] += factor * a[i] }
}

/// result_i += factor · (a_i − b_i)².
@inline(__always)
func addSquares<T: Scalar>(
  of a: Span<T>, less b: Span<T>, by factor: T, to result: inout MutableSpan<T>
) {
  precondition(a.count == result.count && b.count == result.count)
  for i in result.indices {
    let difference = a[i] - b[i]
    result[i] += factor * difference * difference
  }
}

/// The transpose of a (rows × columns) matrix; its row j begins at `offset` + j · `stride` of the result.
@inline(__always)
func transpose<T: Scalar>(
  _ matrix: Span<T>, rows: Int, columns: Int, into result: inout MutableSpan<T>, at offset: Int,
  stride: Int
) {
  // Eight rows are as many cache lines, even where all of them fall into one set.
  for top in Swift.stride(from: 0, to: rows, by: 8) {
    let height = min(8, rows - top)
    for j in 0..<columns {
      let start = offset + j * stride + top
      var place = result._mutatingExtracting(start..<start + height)
      for i in place.indices { place[i] = matrix[(top + i) * columns + j] }
    }
  }
}

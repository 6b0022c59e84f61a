/// A stored matrix of random numbers between −1 and 1, with NaN before it, behind it and between its rows.
struct PaddedMatrix<T: Scalar> {
  let rows: Int
  let columns: Int
  let stride: Int
  let start: Int
  private(set) var numbers: [T]

  /// The NaN in front decide where in memory the first entry lies.
  init(rows: Int, columns: Int, gap: Int, start: Int, _ random: inout SplitMix) {
    self.rows = rows
    self.columns = columns
    self.start = start
    stride = columns + gap
    numbers = [T](repeating: .nan, count: start + rows * stride + PaddedMatrix.margin)
    for i in 0..<rows {
      for j in 0..<columns {
        numbers[start + i * stride + j] = T(Float(random.number()))
      }
    }
  }

  /// NaN behind the last row: more than a vector register holds.
  static var margin: Int { 19 }

  /// The same entries further on in memory.
  func moved(by distance: Int) -> Self {
    var copy = self
    copy.numbers.insert(contentsOf: repeatElement(.nan, count: distance), at: 0)
    copy = PaddedMatrix(copy, start: start + distance)
    return copy
  }

  private init(_ other: Self, start: Int) {
    rows = other.rows
    columns = other.columns
    stride = other.stride
    numbers = other.numbers
    self.start = start
  }

  /// The entries of the stored matrix, row after row or column after column.
  func entries(byColumns: Bool) -> [Double] {
    var entries = [Double](repeating: 0, count: rows * columns)
    for i in 0..<rows {
      for j in 0..<columns {
        entries[byColumns ? j * rows + i : i * columns + j] = Double(
          numbers[start + i * stride + j])
      }
    }
    return entries
  }

  /// What BLAS is given.
  var matrix: Matrix<T> {
    @_lifetime(borrow self)
    get { Matrix(numbers.span, at: start, rows: rows, columns: columns, stride: stride) }
  }
}

extension [Double] {
  /// Where `numbers`, which begin after `start` NaN, leave these, and by how much; nil where they are near enough.
  func fault<T: Scalar>(of numbers: [T], start: Int, allowed: [Double]) -> String? {
    for (index, number) in numbers.enumerated() {
      guard index >= start, index < start + count else {
        if number.isNaN { continue }
        return "it wrote \(number) \(index - start) numbers from its beginning, of \(count)"
      }
      let error = abs(Double(number) - self[index - start])
      if !(error <= allowed[index - start]) {
        return "entry \(index - start) is \(number), not \(self[index - start])"
      }
    }
    return nil
  }
}

/// One random product y ← A x, or y ← y + A x.
struct VectorCase<T: Scalar> {
  private let a: PaddedMatrix<T>
  private let x: [T]
  private let y: [T]
  private let yStart: Int
  private let isTransposed: Bool
  private let isAdding: Bool

  private var rows: Int { isTransposed ? a.columns : a.rows }
  private var columns: Int { isTransposed ? a.rows : a.columns }

  private static var extents: [Int] {
    [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 100, 127, 129, 200]
  }

  init(_ random: inout SplitMix) {
    a = PaddedMatrix(
      rows: random.one(of: VectorCase.extents), columns: random.one(of: VectorCase.extents),
      gap: random.one(of: [0, 0, 1, 3, 8]), start: Int(random.next() % 9), &random)
    isTransposed = random.one(of: [false, true])
    isAdding = random.one(of: [false, true])
    yStart = Int(random.next() % 9)
    x = (0..<(isTransposed ? a.rows : a.columns)).map { _ in
      T(Float(random.number()))
    }
    y = (0..<(isTransposed ? a.columns : a.rows)).map { [isAdding] _ in
      isAdding ? T(Float(random.number())) : .nan
    }
  }

  var description: String {
    "\(rows)×\(columns)\(isTransposed ? " transposed" : ""), rows \(a.stride) apart"
      + (isAdding ? ", added" : "")
  }

  /// What is wrong with it; nil when nothing is.
  func fault(_ blas: some Products) -> String? {
    let first = product(blas, a, start: yStart)
    let (expected, allowed) = expectation
    if let fault = expected.fault(of: first, start: yStart, allowed: allowed) { return fault }
    let second = product(blas, a.moved(by: 3), start: yStart + 1)
    for index in 0..<rows where first[yStart + index] != second[yStart + 1 + index] {
      return "entry \(index) depends on where in memory the matrices are"
    }
    return nil
  }

  private func product(_ blas: some Products, _ a: PaddedMatrix<T>, start: Int) -> [T] {
    var numbers = [T](repeating: .nan, count: start + rows + PaddedMatrix<T>.margin)
    for index in y.indices { numbers[start + index] = y[index] }
    var span = numbers.mutableSpan
    var part = span._mutatingExtracting(start..<start + rows)
    blas.multiply(
      isTransposed ? a.matrix.transposed : a.matrix, vector: x.span, adding: isAdding, into: &part)
    return numbers
  }

  private var expectation: (values: [Double], allowed: [Double]) {
    var values: [Double] = []
    var allowed: [Double] = []
    let entries = a.entries(byColumns: isTransposed)
    let factors = x.map(Double.init)
    for i in 0..<rows {
      var sum = isAdding ? Double(y[i]) : 0
      var size = abs(sum)
      for l in 0..<columns {
        let term = entries[i * columns + l] * factors[l]
        sum += term
        size += abs(term)
      }
      values.append(sum)
      allowed.append(Double(columns + 4) * T.type.epsilon * size)
    }
    return (values, allowed)
  }
}

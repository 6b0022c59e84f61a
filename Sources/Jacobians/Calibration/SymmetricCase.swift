/// One random Gram matrix C ← Aᵀ A + β C, of which the upper triangle is computed, and its eigenvalues.
struct SymmetricCase<T: Scalar> {
  private let a: PaddedMatrix<T>
  private let beta: Double
  private let c: [T]
  private let cStart: Int

  private var n: Int { a.columns }

  private static var extents: [Int] { [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 48, 65] }

  init(_ random: inout SplitMix) {
    a = PaddedMatrix(
      rows: random.one(of: SymmetricCase.extents), columns: random.one(of: SymmetricCase.extents),
      gap: random.one(of: [0, 0, 1, 3, 8]), start: Int(random.next() % 9), &random)
    beta = random.one(of: [0, 1])
    cStart = Int(random.next() % 9)
    // With β = 0 whatever stands there must not be read.
    c = (0..<a.columns * a.columns).map { [beta] _ in
      beta == 0 ? .nan : T(Float(random.number()))
    }
  }

  var description: String { "\(a.rows)×\(n), rows \(a.stride) apart, β = \(beta)" }

  /// What is wrong with it; nil when nothing is.
  func fault(_ blas: some Products) -> String? {
    let first = product(blas, a, start: cStart)
    let second = product(blas, a.moved(by: 3), start: cStart + 1)
    var upper: [Double] = []
    var allowed: [Double] = []
    let bound = Double(a.rows + 4) * T.type.epsilon
    let columns = a.entries(byColumns: true)
    for i in 0..<n {
      for j in 0..<n {
        let old = c[i * n + j]
        // What is below the diagonal stays as it was.
        guard j >= i else {
          let found = first[cStart + i * n + j]
          if !(found == old || (found.isNaN && old.isNaN)) {
            return "entry (\(i), \(j)), below the diagonal, was changed"
          }
          upper.append(0)
          allowed.append(.infinity)
          continue
        }
        var sum = beta == 0 ? 0 : Double(old)
        var size = abs(sum)
        for l in 0..<a.rows {
          let term = columns[i * a.rows + l] * columns[j * a.rows + l]
          sum += term
          size += abs(term)
        }
        upper.append(sum)
        allowed.append(bound * size)
        if first[cStart + i * n + j] != second[cStart + 1 + i * n + j] {
          return "entry (\(i), \(j)) depends on where in memory the matrices are"
        }
      }
    }
    var compared = first
    for i in 0..<n { for j in 0..<i { compared[cStart + i * n + j] = 0 } }
    if let fault = upper.fault(of: compared, start: cStart, allowed: allowed) { return fault }
    return beta == 0 ? eigenvalueFault(blas, upper) : nil
  }

  private func product(_ blas: some Products, _ a: PaddedMatrix<T>, start: Int) -> [T] {
    var numbers = [T](repeating: .nan, count: start + n * n + PaddedMatrix<T>.margin)
    for index in c.indices { numbers[start + index] = c[index] }
    var span = numbers.mutableSpan
    var part = span._mutatingExtracting(start..<start + n * n)
    blas.multiplyByItself(a.matrix, adding: T(beta), into: &part)
    return numbers
  }

  /// The eigenvalues of the same matrix: none too negative, their sum the trace, the sum of their squares that of all entries.
  private func eigenvalueFault(_ blas: some Products, _ upper: [Double]) -> String? {
    var matrix = [T](repeating: 0, count: n * n)
    var trace = 0.0
    var squares = 0.0
    for i in 0..<n {
      trace += upper[i * n + i]
      for j in i..<n {
        matrix[i * n + j] = T(upper[i * n + j])
        matrix[j * n + i] = T(upper[i * n + j])
        squares += (i == j ? 1 : 2) * upper[i * n + j] * upper[i * n + j]
      }
    }
    var values = [T](repeating: .nan, count: n + BLAS.eigenvalueSpace(n))
    var matrixSpan = matrix.mutableSpan
    var valueSpan = values.mutableSpan
    guard blas.eigenvalues(of: &matrixSpan, rows: n, into: &valueSpan) else {
      return "its eigenvalues did not converge"
    }
    let found = values.prefix(n).map(Double.init)
    let tolerance = 10 * Double(n) * T.type.epsilon * trace
    let isAscending = zip(found, found.dropFirst()).allSatisfy { $0 <= $1 }
    let sum = found.reduce(0, +)
    let sumOfSquares = found.reduce(0) { $0 + $1 * $1 }
    guard isAscending, (found.first ?? 0) >= -tolerance, abs(sum - trace) <= tolerance,
      abs(sumOfSquares - squares) <= 2 * tolerance * trace
    else { return "its eigenvalues are wrong: their sum is \(sum), its trace \(trace)" }
    return nil
  }
}

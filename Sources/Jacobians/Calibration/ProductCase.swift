/// One random product C ← α A B + β C as the engine could ask for it.
struct ProductCase<T: Scalar> {
  private let a: PaddedMatrix<T>
  private let b: PaddedMatrix<T>
  private let c: [T]
  private let cStart: Int
  private let flips: Int
  private let alpha: Double
  private let beta: Double
  private let m: Int
  private let n: Int
  private let k: Int

  /// Extents on both sides of the widths of registers and of the tiles of kernels.
  private static var extents: [Int] {
    [
      1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 12, 13, 15, 16, 17, 20, 23, 24, 25, 31,
      32, 33, 48, 49, 65,
    ]
  }
  /// … and of the panels that large matrices are cut into; the other two extents are then small.
  private static var largeExtents: [Int] { [127, 129, 192, 255, 257, 321, 385, 513, 769, 1025] }

  init(_ random: inout SplitMix, isLarge: Bool) {
    var sizes = (0..<3).map { _ in random.one(of: ProductCase.extents) }
    if isLarge {
      let small = Int(random.next() % 3)
      for index in 0..<3 {
        sizes[index] =
          index == small ? Int(random.next() % 9) + 1 : random.one(of: ProductCase.largeExtents)
      }
    }
    m = sizes[0]
    n = sizes[1]
    k = sizes[2]
    flips = Int(random.next() % 4)
    alpha = random.one(of: [1, 1, -1, 0.5, 0])
    beta = random.one(of: [0, 0, 1, -0.5])
    let (aRows, aColumns) = flips & 1 == 1 ? (k, m) : (m, k)
    let (bRows, bColumns) = flips & 2 == 2 ? (n, k) : (k, n)
    a = PaddedMatrix(
      rows: aRows, columns: aColumns, gap: random.one(of: [0, 0, 1, 3, 8]),
      start: Int(random.next() % 9), &random)
    b = PaddedMatrix(
      rows: bRows, columns: bColumns, gap: random.one(of: [0, 0, 1, 3, 8]),
      start: Int(random.next() % 9), &random)
    cStart = Int(random.next() % 9)
    // With β = 0 whatever stands there must not be read.
    c = (0..<m * n).map { [beta] _ in beta == 0 ? .nan : T(Float(random.number()))
    }
  }

  var description: String {
    "\(m)×\(k) by \(k)×\(n), transposed \(flips), rows \(a.stride) and \(b.stride) apart, α = \(alpha), β = \(beta)"
  }

  /// What is wrong with it; nil when nothing is.
  func fault(_ blas: some Products) -> String? {
    let first = product(blas, a, b, start: cStart)
    let (expected, allowed) = expectation
    if let fault = expected.fault(of: first, start: cStart, allowed: allowed) { return fault }
    let second = product(blas, a.moved(by: 3), b.moved(by: 5), start: cStart + 1)
    for index in 0..<m * n where first[cStart + index] != second[cStart + 1 + index] {
      return "entry \(index) depends on where in memory the matrices are"
    }
    return nil
  }

  private func product(
    _ blas: some Products, _ a: PaddedMatrix<T>, _ b: PaddedMatrix<T>, start: Int
  ) -> [T] {
    var numbers = [T](repeating: .nan, count: start + m * n + PaddedMatrix<T>.margin)
    for index in c.indices { numbers[start + index] = c[index] }
    var span = numbers.mutableSpan
    var rest = span._mutatingExtracting(start..<start + m * n)
    blas.multiply(
      flips & 1 == 1 ? a.matrix.transposed : a.matrix,
      flips & 2 == 2 ? b.matrix.transposed : b.matrix, scale: T(alpha), adding: T(beta), into: &rest
    )
    return numbers
  }

  /// Every entry by a plain sum, and how far each may be off.
  private var expectation: (values: [Double], allowed: [Double]) {
    var values: [Double] = []
    var allowed: [Double] = []
    let bound = Double(k + 4) * T.type.epsilon
    let rows = a.entries(byColumns: flips & 1 == 1)
    let columns = b.entries(byColumns: flips & 2 == 0)
    for i in 0..<m {
      for j in 0..<n {
        var sum = 0.0
        var size = 0.0
        for l in 0..<k {
          let term = rows[i * k + l] * columns[j * k + l]
          sum += term
          size += abs(term)
        }
        let old = beta == 0 ? 0 : beta * Double(c[i * n + j])
        values.append(alpha * sum + old)
        allowed.append(bound * (abs(alpha) * size + abs(old)))
      }
    }
    return (values, allowed)
  }
}

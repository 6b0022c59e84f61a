import Jacobians
import TestSupport
import Testing

/// Products of views against three loops.
@Suite struct BLASTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    let m: Int
    let n: Int
    let k: Int
    var testDescription: String { "\(m)×\(k) by \(k)×\(n)" }
  }
  static let shapes = [
    Shape(m: 1, n: 1, k: 1), Shape(m: 3, n: 5, k: 7), Shape(m: 8, n: 1, k: 65),
    Shape(m: 1, n: 33, k: 2), Shape(m: 64, n: 48, k: 300), Shape(m: 130, n: 17, k: 19),
  ]

  static func check<T: Scalar>(_ shape: Shape, _ type: T.Type, tolerance: Double) throws {
    let blas = try BLAS.loaded()
    var random = SeededGenerator(seed: 9)
    for flips in 0..<4 {
      for (alpha, beta) in [(1.0, 0.0), (1, 1), (-0.5, 2), (0, 0.5)] {
        let isATransposed = flips & 1 == 1
        let isBTransposed = flips & 2 == 2
        let (aRows, aColumns) = isATransposed ? (shape.k, shape.m) : (shape.m, shape.k)
        let (bRows, bColumns) = isBTransposed ? (shape.n, shape.k) : (shape.k, shape.n)
        let (aStride, bStride, aStart, bStart) = (aColumns + 3, bColumns + 2, 5, 11)
        let a = random.numbers(aStart + aRows * aStride)
        let b = random.numbers(bStart + bRows * bStride)
        let c = random.numbers(shape.m * shape.n + 4)
        let aT = a.map { T($0) }
        let bT = b.map { T($0) }
        var cT = c.map { T($0) }
        var span = cT.mutableSpan
        let left = Matrix(aT.span, at: aStart, rows: aRows, columns: aColumns, stride: aStride)
        let right = Matrix(bT.span, at: bStart, rows: bRows, columns: bColumns, stride: bStride)
        blas.multiply(
          isATransposed ? left.transposed : left, isBTransposed ? right.transposed : right,
          scale: T(alpha), adding: T(beta), into: &span)
        var expected = c
        for i in 0..<shape.m {
          for j in 0..<shape.n {
            var sum = 0.0
            for l in 0..<shape.k {
              let left = a[aStart + (isATransposed ? l * aStride + i : i * aStride + l)]
              let right = b[bStart + (isBTransposed ? j * bStride + l : l * bStride + j)]
              sum += left * right
            }
            expected[i * shape.n + j] = alpha * sum + beta * c[i * shape.n + j]
          }
        }
        let error = relativeError(cT, expected)
        #expect(error < tolerance, "flips \(flips), \(alpha), \(beta): \(error)")
      }
    }
  }

  // k ≤ 300 products of numbers below one: k ε in the worst case.
  @Test(arguments: shapes) func `a product is the sum over all terms`(_ shape: Shape) throws {
    try BLASTests.check(shape, Double.self, tolerance: 1e-14)
    try BLASTests.check(shape, Float.self, tolerance: 1e-5)
  }

  @Test func `with beta zero what was there is not read`() throws {
    var c = [Double](repeating: .nan, count: 2)
    var span = c.mutableSpan
    let ones = [1.0, 1]
    try BLAS.loaded().multiply(
      Matrix(ones.span, rows: 2, columns: 1), Matrix(ones.span, rows: 1, columns: 1), into: &span)
    #expect(c == [1, 1])
  }

  @Test func `a missing library is an error that says how to get it`() {
    let error = #expect(throws: BLASError.self) {
      try BLAS(loading: "libno-such-blas.so.0")
    }
    #expect(
      error?.description
        == "cannot load libno-such-blas.so.0: libno-such-blas.so.0: cannot open shared object file: "
        + "No such file or directory; install it: apt-get install libopenblas0-pthread")
  }

  @Test func `another library is not taken for OpenBLAS`() {
    let error = #expect(throws: BLASError.self) { try BLAS(loading: "libm.so.6") }
    #expect(
      error?.description == "cannot load libm.so.6: it has no function cblas_dgemm; "
        + "install OpenBLAS itself: apt-get install libopenblas0-pthread")
  }

  @Test func `a matrix must lie inside its numbers`() async {
    await #expect(processExitsWith: .failure) {
      let numbers = [1.0, 2, 3]
      _ = Matrix(numbers.span, rows: 2, columns: 2)
    }
    await #expect(processExitsWith: .failure) {
      var c = [0.0, 0, 0]
      var span = c.mutableSpan
      let ones = [1.0, 1]
      try BLAS.loaded().multiply(
        Matrix(ones.span, rows: 2, columns: 1), Matrix(ones.span, rows: 1, columns: 2), into: &span)
    }
  }
}

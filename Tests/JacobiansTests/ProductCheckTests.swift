import Jacobians
import Testing

/// OpenBLAS with one fault.
struct FaultyProducts: Products {
  /// Where the fault shows.
  enum Fault: String, CaseIterable {
    /// One bit of one entry of one shape.
    case roundsWrong, addsToWhatWasNotToBeRead, ignoresBeta, forgetsAlpha, dependsOnPlace
    /// In products with a vector.
    case vectorIsWrong, vectorIsNotAdded
    /// In Gram matrices.
    case gramReachesBelow, gramIsWrong, eigenvalueIsWrong
  }
  let fault: Fault
  let blas: BLAS

  func multiply<T: Scalar>(
    _ a: Matrix<T>, _ b: Matrix<T>, scale alpha: T, adding beta: T, into c: inout MutableSpan<T>
  ) {
    let old = fault == .ignoresBeta && beta == 1 ? 0 : beta
    let scale = fault == .forgetsAlpha && alpha == 0.5 ? 1 : alpha
    let added = fault == .addsToWhatWasNotToBeRead && beta == 0 && a.rows == 3 ? 1 : old
    blas.multiply(a, b, scale: scale, adding: added, into: &c)
    if fault == .roundsWrong, a.rows == 5, alpha == 1, beta == 0 {
      c[c.count - 1] += abs(c[c.count - 1]) * T(40 * T.type.epsilon)
    }
    if fault == .dependsOnPlace {
      let place = unsafe c.withUnsafeMutableBufferPointer { Int(bitPattern: $0.baseAddress) }
      if place / T.type.byteCount % 2 == 1, alpha == 1, beta == 0, a.columns > 1 {
        c[0] = c[0].nextUp
      }
    }
  }

  func multiply<T: Scalar>(
    _ a: Matrix<T>, vector x: Span<T>, adding: Bool, into y: inout MutableSpan<T>
  ) {
    blas.multiply(a, vector: x, adding: adding && fault != .vectorIsNotAdded, into: &y)
    if fault == .vectorIsWrong, a.columns == 17 { y[0] += 1 }
  }

  func multiplyByItself<T: Scalar>(
    _ a: Matrix<T>, adding beta: T, into c: inout MutableSpan<T>
  ) {
    blas.multiplyByItself(a, adding: beta, into: &c)
    if fault == .gramReachesBelow, a.columns == 4 { c[4] = 0.5 }
    if fault == .gramIsWrong, a.columns == 9 { c[80] *= T(1 + 100 * T.type.epsilon) }
  }

  func eigenvalues<T: Scalar>(
    of matrix: inout MutableSpan<T>, rows n: Int, into values: inout MutableSpan<T>
  ) -> Bool {
    let hasConverged = blas.eigenvalues(of: &matrix, rows: n, into: &values)
    if fault == .eigenvalueIsWrong, n == 16 { values[15] *= 1.001 }
    return hasConverged
  }
}

@Suite struct ProductCheckTests {
  @Test func `the kernels in use compute right`() throws {
    let check = try ProductCheck(BLAS.loaded(), products: 200)
    #expect(check.failure == nil)
    #expect(check.count == 2 * (200 + 67 + 67))
  }

  @Test(arguments: FaultyProducts.Fault.allCases) func `a kernel with a fault is found out`(
    _ fault: FaultyProducts.Fault
  ) throws {
    let check = try ProductCheck(
      FaultyProducts(fault: fault, blas: BLAS.loaded()), products: 500)
    let failure = try #require(check.failure)
    #expect(failure.hasPrefix("float64 "))
  }

  @Test func `rates are measured for both number types, and their mean is geometric`() throws {
    let rates = try ProductRate.measured(BLAS.loaded(), seconds: 0.0005)
    #expect(rates.count == 14)
    #expect(rates.allSatisfy { $0.gigaflops > 0 })
    let one = rates[0].gigaflops
    #expect(abs([rates[0], rates[0]].score / one - 1) < 1e-12)
    #expect([ProductRate]().score == 0)
  }
}

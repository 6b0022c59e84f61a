/// What multiplies: OpenBLAS, or in tests something that errs.
package protocol Products {
  /// C ← α A B + β C, as `BLAS` has it.
  func multiply<T: Scalar>(
    _ a: Matrix<T>, _ b: Matrix<T>, scale alpha: T, adding beta: T, into c: inout MutableSpan<T>)
  /// y ← A x, or y ← y + A x.
  func multiply<T: Scalar>(
    _ a: Matrix<T>, vector x: Span<T>, adding: Bool, into y: inout MutableSpan<T>)
  /// C ← Aᵀ A + β C in the upper triangle.
  func multiplyByItself<T: Scalar>(_ a: Matrix<T>, adding beta: T, into c: inout MutableSpan<T>)
  /// The eigenvalues of a symmetric matrix, ascending.
  func eigenvalues<T: Scalar>(
    of matrix: inout MutableSpan<T>, rows n: Int, into values: inout MutableSpan<T>
  ) -> Bool
}

extension BLAS: Products {
  /// C ← α A B + β C, rows of C touching.
  package func multiply<T: Scalar>(
    _ a: Matrix<T>, _ b: Matrix<T>, scale alpha: T, adding beta: T, into c: inout MutableSpan<T>
  ) {
    multiply(a, b, scale: alpha, adding: beta, into: &c, stride: nil)
  }
}

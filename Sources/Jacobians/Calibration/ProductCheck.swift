/// Whether OpenBLAS's products are right on this processor, against three plain loops.
///
/// Random shapes, places in memory, distances between rows, transpositions, α and β. Everything around the factors and
/// the product is NaN: a kernel that reads beyond a row gives NaN, one that writes beyond the product is seen. Each entry
/// may be wrong by (k + 4) ε (|α| Σ|a||b| + |β c|), the most that any order of adding can lose. The same product
/// from and to other places in memory has the same bits, without which the number of threads could be told from a result.
package struct ProductCheck: Sendable {
  /// How many products were compared.
  package private(set) var count = 0
  /// The first that was wrong, in words; nil when all are right.
  package private(set) var failure: String?

  /// Checks so many products of each number type, a third as many products with a vector, and Gram matrices.
  package init(_ blas: some Products, products: Int) {
    check(blas, Double.self, products)
    if failure == nil { check(blas, Float.self, products) }
  }

  // Not specialised, the plain loops would take ten times as long.
  @specialized(where T == Double, P == BLAS)
  @specialized(where T == Float, P == BLAS)
  private mutating func check<T: Scalar, P: Products>(
    _ blas: P, _ type: T.Type, _ products: Int
  ) {
    var random = SplitMix(seed: 0x6e6e_6a6f_6273)
    for number in 0..<products {
      let product = ProductCase<T>(&random, isLarge: number % 60 == 59)
      count += 1
      if let fault = product.fault(blas) {
        failure = "\(T.type.rawValue) product \(product.description): \(fault)"
        return
      }
      guard number % 3 == 0 else { continue }
      let vector = VectorCase<T>(&random)
      count += 1
      if let fault = vector.fault(blas) {
        failure = "\(T.type.rawValue) product with a vector, \(vector.description): \(fault)"
        return
      }
      let symmetric = SymmetricCase<T>(&random)
      count += 1
      if let fault = symmetric.fault(blas) {
        failure = "\(T.type.rawValue) Gram matrix of \(symmetric.description): \(fault)"
        return
      }
    }
  }
}

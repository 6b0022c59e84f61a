import Dispatch
import Synchronization

/// How fast one shape of product is.
package struct ProductRate: Codable, Hashable, Sendable {
  /// The product in words, as `256 × 256 by 256 × 256`.
  package let product: String
  /// The number type.
  package let dtype: String
  /// Operations a second, in 10⁹, on one thread.
  package let gigaflops: Double

  /// The shapes that jobs are made of, rows × depth × columns; a transposed right factor is a layer's weights.
  private static let shapes: [(rows: Int, depth: Int, columns: Int, transposed: (Bool, Bool))] = [
    // Stacked rows through a layer: back, back with few units, forward.
    (160, 784, 512, (false, false)), (256, 256, 256, (false, false)),
    (512, 64, 64, (false, false)), (96, 256, 256, (false, true)),
    // Sums over samples, Gram matrices, a few sequences' step.
    (256, 96, 256, (true, false)), (512, 256, 512, (false, true)), (8, 64, 64, (false, true)),
  ]

  /// Measures every shape in both number types on this thread, for about `seconds` each; the best of several turns.
  package static func measured(_ blas: BLAS, seconds: Double) -> [ProductRate] {
    shapes.flatMap { shape in
      [
        rate(blas, Double.self, shape.rows, shape.depth, shape.columns, shape.transposed, seconds),
        rate(blas, Float.self, shape.rows, shape.depth, shape.columns, shape.transposed, seconds),
      ]
    }
  }

  /// The rate of all threads together at 256 × 256 by 256 × 256, in operations a second.
  package static func together<T: Scalar>(
    _ blas: BLAS, _ type: T.Type, threads: Int, seconds: Double
  ) -> Double {
    let rates = Mutex(0.0)
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      let own = rate(blas, type, 256, 256, 256, (false, false), seconds).gigaflops * 1e9
      rates.withLock { $0 += own }
    }
    return rates.withLock { $0 }
  }

  private static func rate<T: Scalar>(
    _ blas: BLAS, _ type: T.Type, _ rows: Int, _ depth: Int, _ columns: Int,
    _ transposed: (a: Bool, b: Bool), _ seconds: Double
  ) -> ProductRate {
    let a = [T](repeating: 0.5, count: rows * depth)
    let b = [T](repeating: 0.25, count: depth * columns)
    var c = [T](repeating: 0, count: rows * columns)
    let operations = 2 * Double(rows * columns) * Double(depth)
    func turn(_ count: Int) -> Double {
      let start = DispatchTime.now().uptimeNanoseconds
      for _ in 0..<count {
        var span = c.mutableSpan
        let left =
          transposed.a
          ? Matrix(a.span, rows: depth, columns: rows).transposed
          : Matrix(a.span, rows: rows, columns: depth)
        let right =
          transposed.b
          ? Matrix(b.span, rows: columns, columns: depth).transposed
          : Matrix(b.span, rows: depth, columns: columns)
        blas.multiply(left, right, into: &span)
      }
      return Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
    }
    _ = turn(1)
    let turns = 5
    let count = max(1, Int(seconds / Double(turns) / max(turn(1), 1e-7)))
    let best = (0..<turns).map { _ in turn(count) }.min() ?? .infinity
    let shape =
      "\(rows) × \(depth)\(transposed.a ? " transposed" : "") by \(depth) × \(columns)"
      + (transposed.b ? " transposed" : "")
    return ProductRate(
      product: shape, dtype: T.type.rawValue,
      gigaflops: operations * Double(count) / max(best, 1e-9) * 1e-9)
  }
}

extension [ProductRate] {
  /// The geometric mean over all shapes and number types, in 10⁹ operations a second: what kernels are compared by.
  package var score: Double {
    let logarithms = map { Double.log(Swift.max($0.gigaflops, 1e-9)) }
    return isEmpty ? 0 : Double.exp(logarithms.reduce(0, +) / Double(count))
  }
}

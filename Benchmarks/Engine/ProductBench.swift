import Dispatch
import Jacobians
import Synchronization

/// The rate of one shape of product, which bounds whatever is made of such products.
enum ProductBench {
  /// What is printed.
  private struct Report: Encodable {
    let operationsPerSecond: Double
    let kernel: String
  }

  static func run(
    rows: Int, depth: Int, columns: Int, isTransposed: Bool, atLeast seconds: Double, threads: Int,
    dtype: ScalarType
  ) throws {
    let blas = try BLAS.loaded()
    let rates = Mutex<[Double]>([])
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      let rate =
        switch dtype {
        case .float64: Self.rate(Double.self, rows, depth, columns, isTransposed, seconds, blas)
        case .float32: Self.rate(Float.self, rows, depth, columns, isTransposed, seconds, blas)
        }
      rates.withLock { $0.append(rate) }
    }
    try report(
      Report(operationsPerSecond: rates.withLock { $0.reduce(0, +) }, kernel: blas.kernel))
  }

  /// The median rate of one thread, in operations a second.
  private static func rate<T: Scalar>(
    _ type: T.Type, _ rows: Int, _ depth: Int, _ columns: Int, _ isTransposed: Bool,
    _ atLeast: Double, _ blas: BLAS
  ) -> Double {
    let operations = 2 * Double(rows) * Double(depth) * Double(columns)
    let a = [T](repeating: 0.5, count: rows * depth)
    let b = [T](repeating: 0.25, count: depth * columns)
    var c = [T](repeating: 0, count: rows * columns)
    let inner = max(1, Int(1e7 / operations))
    var spent = 0.0
    var own: [Double] = []
    while spent < atLeast {
      let took = ContinuousClock().seconds {
        for _ in 0..<inner {
          var span = c.mutableSpan
          let left =
            isTransposed
            ? Matrix(a.span, rows: depth, columns: rows).transposed
            : Matrix(a.span, rows: rows, columns: depth)
          blas.multiply(left, Matrix(b.span, rows: depth, columns: columns), into: &span)
        }
      }
      own.append(operations * Double(inner) / took)
      spent += took
    }
    return own.sorted()[own.count / 2]
  }
}

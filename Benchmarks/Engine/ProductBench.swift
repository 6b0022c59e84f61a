import Dispatch
import Jacobians
import Synchronization

/// The rate of one shape of product, which bounds whatever is made of such products.
struct ProductBench: Sendable {
  /// What is printed.
  private struct Report: Encodable {
    let operationsPerSecond: Double
    let kernel: String
  }

  let rows: Int
  let depth: Int
  let columns: Int
  /// Whether the left factor is stored as (depth × rows).
  let isTransposed: Bool
  /// How many products stand side by side in a thread's array.
  let across: Int
  /// Bytes of that array, if it is larger than one row of products.
  let byteCount: Int

  /// Measures in several threads at a time, and prints the sum of their rates.
  func run(atLeast seconds: Double, threads: Int, dtype: ScalarType) throws {
    let blas = try BLAS.loaded()
    let rates = Mutex<[Double]>([])
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      let rate =
        switch dtype {
        case .float64: rate(Double.self, seconds, blas)
        case .float32: rate(Float.self, seconds, blas)
        }
      rates.withLock { $0.append(rate) }
    }
    try report(
      Report(operationsPerSecond: rates.withLock { $0.reduce(0, +) }, kernel: blas.kernel))
  }

  /// The median rate of one thread, in operations a second.
  private func rate<T: Scalar>(_ type: T.Type, _ atLeast: Double, _ blas: BLAS) -> Double {
    let operations = 2 * Double(rows) * Double(depth) * Double(columns)
    let a = [T](repeating: 0.5, count: rows * depth)
    let b = [T](repeating: 0.25, count: depth * columns)
    let stride = across * columns
    let down = max(1, byteCount / (rows * stride * MemoryLayout<T>.stride))
    var c = [T](repeating: 0, count: down * rows * stride)
    // At least once through the array.
    let inner = max(across * down, Int(1e7 / operations))
    var spent = 0.0
    var own: [Double] = []
    while spent < atLeast {
      let took = ContinuousClock().seconds {
        for number in 0..<inner {
          let (row, column) = (number % (across * down)).quotientAndRemainder(dividingBy: across)
          let start = row * rows * stride + column * columns
          var span = c.mutableSpan
          var place = span._mutatingExtracting(start..<start + (rows - 1) * stride + columns)
          let left =
            isTransposed
            ? Matrix(a.span, rows: depth, columns: rows).transposed
            : Matrix(a.span, rows: rows, columns: depth)
          blas.multiply(
            left, Matrix(b.span, rows: depth, columns: columns), into: &place, stride: stride)
        }
      }
      own.append(operations * Double(inner) / took)
      spent += took
    }
    return own.sorted()[own.count / 2]
  }
}

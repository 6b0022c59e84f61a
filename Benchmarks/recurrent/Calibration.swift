import Jacobians

/// Rates of single products on one thread, from which the constants of the cost model come.
enum Calibration {
  static func run() throws {
    let blas = try BLAS.loaded()
    print("kernel \(blas.kernel)")
    // (rows, depth, columns, what)
    let shapes: [(Int, Int, Int, String)] = [
      (32, 64, 64, "pull 32 rows, R 64"), (32, 32, 32, "pull 32 rows, R 32"),
      (128, 64, 64, "pull 128 rows"), (1, 64, 64, "pull 1 row"), (4, 64, 64, "pull 4 rows"),
      (32, 64, 5184, "apply S, 32 rows"), (64, 64, 5184, "apply S, 64 rows"),
      (200, 64, 5184, "apply S, 200 rows"), (32, 64, 1280, "apply S, tile 1280"),
      (8, 64, 5184, "apply S, 8 rows"), (512, 512, 512, "cube"),
    ]
    for (rows, depth, columns, what) in shapes {
      try print("\(what): \(product(blas, rows, depth, columns, transposed: false))")
    }
    for (rows, depth, columns, what) in [
      (256, 20, 80, "contract 256 x 20 x 80"), (256, 64, 80, "contract 256 x 64 x 80"),
      (64, 20, 80, "contract 64 x 20 x 80"), (2048, 34, 80, "contract 2048 x 34 x 80"),
      (64, 2000, 40, "contract 64 x 2000 x 40"),
    ] {
      try print("\(what): \(product(blas, rows, depth, columns, transposed: true))")
    }
  }

  static func product(_ blas: BLAS, _ m: Int, _ k: Int, _ n: Int, transposed: Bool) throws -> String
  {
    let a = [Double](repeating: 0.5, count: m * k)
    let b = [Double](repeating: 0.25, count: k * n)
    var c = [Double](repeating: 0, count: m * n)
    let runs = max(1, 20_000_000 / (m * k * n))
    let seconds = best(7) {
      for _ in 0..<runs {
        var span = c.mutableSpan
        let left =
          transposed
          ? Matrix(a.span, rows: k, columns: m).transposed : Matrix(a.span, rows: m, columns: k)
        blas.multiply(left, Matrix(b.span, rows: k, columns: n), into: &span)
      }
    }
    let each = seconds / Double(runs)
    return "\(round(each * 1e6, 2)) µs, \(round(2 * Double(m * k * n) / each / 1e9, 1)) GFLOP/s"
  }
}

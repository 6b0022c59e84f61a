import Jacobians

/// Measures single products (`products`), and every way over a grid of shapes with the kinds of work it consists of (`calibrate`).
enum Calibration {
  /// Lines for `calibrate.py`: shapes, way, processor seconds, kinds of work.
  static func run() throws {
    print("y r x layers T strategy h seconds product pull forward bytes pieces contractions")
    for (outputs, units, outer, hidden, steps) in shapes {
      let work = Workload(
        name: "", outer: outer, hidden: hidden, units: units, outputs: outputs, steps: steps,
        requests: Workload.allSteps)
      let problem = work.problem(Double.self)
      var ways: [(RecurrentStrategy, Int?)] = [(.adjoint, nil), (.blocked, nil)]
      let free = try work.plan(problem)
      if free.candidates[0].seconds < 0.5 { ways.append((.forward, nil)) }
      let h = free.candidates.first { $0.strategy == .blocked }?.blockSteps ?? 2
      for other in [h / 3, h * 3] where other > 1 && other < steps {
        ways.append((.blocked, other))
      }
      for (strategy, h) in ways {
        let plan = try work.plan(problem, strategy: strategy, blockSteps: h)
        guard let candidate = plan.candidates.first(where: { $0.strategy == strategy }),
          candidate.seconds < 1
        else { continue }
        let seconds = try Grid.time(plan, problem)
        let c = candidate.cost
        print(
          outputs, units, outer, hidden.count + 1, steps, strategy.rawValue,
          candidate.blockSteps ?? 0, seconds, c.product, c.pull, c.forward, c.bytes,
          c.pieces, c.contractions)
      }
    }
  }

  /// |y|, |r|, n_x, hidden layers, T.
  static var shapes: [(Int, Int, Int, [Int], Int)] {
    var shapes: [(Int, Int, Int, [Int], Int)] = []
    for outputs in [1, 4, 16] {
      for units in [8, 32, 96] {
        for steps in [10, 50, 200, 800] {
          shapes.append((outputs, units, units == 8 ? 32 : 4, [], steps))
        }
      }
    }
    for (outputs, steps) in [(1, 200), (1, 800), (4, 50), (4, 200), (4, 800), (16, 50), (16, 200)] {
      shapes.append((outputs, 32, 32, [], steps))
    }
    return shapes + [(2, 16, 4, [24], 60), (2, 16, 4, [24], 400), (4, 48, 8, [64], 100)]
  }

  /// Rates of single products on one thread.
  static func products() throws {
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

import Jacobians

/// Whether the planner chooses the fastest way: all ways measured on one thread, over a grid of shapes.
enum Grid {
  static func run() throws {
    print(
      "| y | r | x | T | forward ms | adjoint ms | blocked ms (h) | best h | chosen | its ms / best |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    var worst = 0.0
    var count = 0
    for outputs in [1, 4, 16] {
      for units in [8, 32, 96] {
        for outer in [2, 32] {
          for steps in [10, 50, 200, 800] {
            let operations =
              2.0 * Double(outputs + units) * Double(units)
              * Double(outputs + units) * Double(outer + units) * Double(steps)
            if operations > 40e9 { continue }
            let ratio = try row(outputs, units, outer, steps)
            worst = max(worst, ratio)
            count += 1
          }
        }
      }
    }
    print("\nshapes \(count), worst ratio \(round(worst, 2))")
  }

  /// The least processor seconds of several runs on one thread.
  static func time(_ plan: RecurrentPlan, _ problem: RecurrentProblem<Double>) throws -> Double {
    let sink = TouchedMemory(plan)
    var least = Double.infinity
    var spent = 0.0
    var runs = 0
    while runs < 3 || (spent < 0.04 && runs < 100) {
      let start = processorSeconds()
      _ = try Computation.run(plan, on: problem, into: sink, threads: 1, monitor: Unwatched())
      let seconds = processorSeconds() - start
      least = min(least, seconds)
      spent += seconds
      runs += 1
      if spent > 1 { break }
    }
    return least
  }

  private static func row(_ outputs: Int, _ units: Int, _ outer: Int, _ steps: Int) throws -> Double
  {
    let work = Workload(
      name: "grid", outer: outer, hidden: [], units: units, outputs: outputs, steps: steps,
      requests: Workload.allSteps)
    let problem = work.problem(Double.self)
    let chosen = try work.plan(problem)
    var times: [(RecurrentStrategy, Int?, Double)] = []
    for strategy in RecurrentStrategy.allCases {
      let plan = try work.plan(problem, strategy: strategy)
      times.append(
        (
          strategy, plan.candidates.first { $0.strategy == strategy }?.blockSteps,
          try time(plan, problem)
        ))
    }
    // Is another block length better than the one the model chose?
    let h = times.first { $0.0 == .blocked }?.1 ?? 2
    var bestBlock = (h, times.first { $0.0 == .blocked }?.2 ?? .infinity)
    for other in [h / 2, h * 2 / 3, h * 3 / 2, h * 2] where other >= 2 && other < steps {
      let seconds = try time(
        try work.plan(problem, strategy: .blocked, blockSteps: other), problem)
      if seconds < bestBlock.1 { bestBlock = (other, seconds) }
    }
    let least = min(times.map(\.2).min() ?? 0, bestBlock.1)
    let own = times.first { $0.0 == chosen.chosen }?.2 ?? .infinity
    func ms(_ strategy: RecurrentStrategy) -> String {
      round((times.first { $0.0 == strategy }?.2 ?? 0) * 1e3, 3)
        + " (\(round((chosen.candidates.first { $0.strategy == strategy }?.seconds ?? 0) * 1e3, 3)))"
    }
    print(
      "| \(outputs) | \(units) | \(outer) | \(steps) | \(ms(.forward)) | \(ms(.adjoint)) | \(ms(.blocked)) h \(h) | "
        + "\(bestBlock.0) | \(chosen.chosen?.rawValue ?? "-") | \(round(own / least, 2)) |")
    return own / least
  }
}

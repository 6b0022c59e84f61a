import Jacobians

/// Whether the planner chooses the fastest way: all ways measured on one thread, over a grid of shapes.
///
/// Ways take turns, so that what else runs on the machine falls on all of them.
enum Grid {
  /// One way to a shape's Jacobian.
  private struct Way {
    let strategy: RecurrentStrategy
    /// The block length, where there is one.
    let steps: Int?
    let plan: RecurrentPlan
    /// The least time of all turns, in seconds.
    var seconds = Double.infinity
  }

  /// How often ways take turns.
  private static let turns = 5
  /// A way that takes so many times as long as the fastest has one turn.
  private static let hopeless = 2.0

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
    var ways = try RecurrentStrategy.allCases.map { strategy in
      let plan = try work.plan(problem, strategy: strategy)
      return Way(
        strategy: strategy,
        steps: plan.candidates.first { $0.strategy == strategy }?.blockSteps, plan: plan)
    }
    // Is another block length better than the one the model chose?
    let h = ways.first { $0.strategy == .blocked }?.steps ?? 2
    for other in [h / 2, h * 2 / 3, h * 3 / 2, h * 2] where other >= 2 && other < steps {
      ways.append(
        Way(
          strategy: .blocked, steps: other,
          plan: try work.plan(problem, strategy: .blocked, blockSteps: other)))
    }
    for turn in 0..<turns {
      let least = ways.reduce(.infinity) { min($0, $1.seconds) }
      for w in ways.indices where turn == 0 || ways[w].seconds < hopeless * least {
        ways[w].seconds = min(ways[w].seconds, try time(ways[w].plan, problem))
      }
    }
    func seconds(_ strategy: RecurrentStrategy) -> Double {
      ways.first { $0.strategy == strategy }?.seconds ?? .infinity
    }
    let blocks = ways.filter { $0.strategy == .blocked }
    let best = blocks.min { $0.seconds < $1.seconds }?.steps ?? h
    let least = ways.reduce(.infinity) { min($0, $1.seconds) }
    let own = chosen.chosen.map(seconds) ?? .infinity
    func ms(_ strategy: RecurrentStrategy) -> String {
      round(seconds(strategy) * 1e3, 3)
        + " (\(round((chosen.candidates.first { $0.strategy == strategy }?.seconds ?? 0) * 1e3, 3)))"
    }
    print(
      "| \(outputs) | \(units) | \(outer) | \(steps) | \(ms(.forward)) | \(ms(.adjoint)) | \(ms(.blocked)) h \(h) | "
        + "\(best) | \(chosen.chosen?.rawValue ?? "-") | \(round(own / least, 2)) |")
    return own / least
  }
}

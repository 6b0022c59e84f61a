import Jacobians

/// The workloads of the issue: all ∂y(n)/∂w, ∂E/∂w, ∂y(T)/∂w.
enum Speed {
  static let all = [
    GradientRequest(name: "parameter-jacobian", options: ["layout": .text("matrix")])
  ]
  static let lossGradient = [GradientRequest(name: "loss-gradient")]
  static let last = [GradientRequest(name: "parameter-jacobian", options: ["steps": .text("last")])]

  static func run() throws {
    for steps in [100, 400, 1000, 2000] {
      try measure(
        Workload(
          name: "all dy(n)/dw T \(steps)", outer: 16, hidden: [], units: 64, outputs: 4,
          steps: steps, requests: all), runs: steps > 400 ? 5 : 15)
    }
    for units in [128, 256] {
      try measure(
        Workload(
          name: "all dy(n)/dw R \(units)", outer: 16, hidden: [], units: units, outputs: 4,
          steps: 100, requests: all), runs: 5)
    }
    for (name, requests) in [("dE/dw", lossGradient), ("dy(T)/dw", last)] {
      try measure(
        Workload(
          name: "\(name) T 2000", outer: 8, hidden: [], units: 32, outputs: 2, steps: 2000,
          requests: requests), runs: 50)
    }
    try measure(
      Workload(
        name: "dE/dw T 100", outer: 16, hidden: [], units: 64, outputs: 4, steps: 100,
        requests: lossGradient), runs: 50)
    try measure(
      Workload(
        name: "dE/dw T 100000", outer: 8, hidden: [], units: 32, outputs: 2, steps: 100_000,
        requests: lossGradient), runs: 3)
  }

  static func measure(_ work: Workload, runs: Int) throws {
    if let only = CommandLine.arguments.dropFirst(2).first, !work.name.contains(only) { return }
    let problem = work.problem(Double.self)
    let isAll = work.requests == all
    let strategies: [RecurrentStrategy?] = isAll ? [nil, .forward, .adjoint, .blocked] : [nil]
    for strategy in strategies {
      if strategy == .forward, work.units > 64 || work.steps > 400 { continue }
      if strategy == .adjoint, work.steps > 1000 { continue }
      let plan = try work.plan(problem, strategy: strategy)
      let sink = TouchedMemory(plan)
      for threads in [1, 2] {
        var report: ComputationReport?
        var least = Double.infinity
        var leastProcessor = Double.infinity
        for _ in 0..<(strategy == nil ? runs : max(1, runs / 3)) {
          let before = processorSeconds()
          let seconds = try best(1) {
            report = try Computation.run(
              plan, on: problem, into: sink, threads: threads, monitor: Unwatched())
          }
          leastProcessor = min(leastProcessor, processorSeconds() - before)
          if seconds < least { least = seconds }
        }
        let predicted = plan.candidates.first { $0.strategy == plan.chosen }
        let stages = report?.seconds.map { "\($0.stage) \(round($0.seconds * 1e3, 2))" } ?? []
        print(
          work.name, strategy?.rawValue ?? "chosen: \(plan.chosen?.rawValue ?? "-")",
          predicted?.blockSteps.map { "h \($0)" } ?? "", "threads \(threads)",
          "ms \(round(least * 1e3, 3))",
          "processor ms \(round(leastProcessor * 1e3, 3))",
          "GFLOP/s \(round(plan.operations / least / 1e9, 1))",
          "predicted ms \(round((predicted?.seconds ?? 0) * 1e3, 2))",
          "MiB \(plan.peakMemory(threads: threads) >> 20)", "| last run:",
          stages.joined(separator: ", "))
      }
    }
  }
}

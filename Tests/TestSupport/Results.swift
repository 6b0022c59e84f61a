package import Jacobians

/// A computed job in memory.
package struct Results<T: Scalar> {
  package let plan: Plan
  package let report: ComputationReport
  private let arrays: [String: [T]]

  /// Plans and computes requests; every number must be written exactly once.
  package init(
    _ requests: [GradientRequest], on problem: Problem<T>, threads: Int = 1, verify: Bool = false,
    blockSamples: Int? = nil
  ) throws {
    plan = try Planner.plan(
      network: problem.network.shape, batch: problem.batch, dtype: T.type, requests: requests,
      hasTargets: problem.targets != nil, verify: verify, blockSamples: blockSamples)
    let sink = MemorySink<T>(plan)
    report = try Computation.run(
      plan, on: problem, into: sink, threads: threads, monitor: QuietMonitor())
    precondition(sink.isWrittenOnce, "every number is written once")
    arrays = Dictionary(
      uniqueKeysWithValues: zip(plan.arrays.map(\.path), sink.arrays))
  }

  /// The array published under that path.
  package subscript(path: String) -> [T] { arrays[path] ?? [] }

  /// All paths.
  package var paths: [String] { plan.arrays.map(\.path) }
}

/// The largest difference, relative to the largest expected entry, that entry taken as 1 at least.
package func relativeError<T: Scalar>(_ actual: [T], _ expected: [Double]) -> Double {
  guard actual.count == expected.count else { return .infinity }
  var scale = 1.0
  var worst = 0.0
  for (a, e) in zip(actual, expected) {
    scale = max(scale, abs(e))
    let difference = abs(Double(a) - e)
    worst = difference.isNaN ? .infinity : max(worst, difference)
  }
  return worst / scale
}

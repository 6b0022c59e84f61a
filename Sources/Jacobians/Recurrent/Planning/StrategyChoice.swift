/// A request for ∂z(n)/∂w multiplied out.
struct JacobianRequest: Sendable {
  let outputs: OutputSubset
  let selection: StepSelection
  let parameters: [Parameter]
  let isMatrix: Bool
  let firstArray: Int
}

/// The cheapest way to ∂z(n)/∂w that fits in memory, and why.
struct StrategyChoice: Sendable {
  private(set) var chosen: RecurrentStrategy?
  private(set) var candidates: [RecurrentPlan.Candidate] = []
  private(set) var parts: [RecurrentPart] = []
  private(set) var operations = 0.0
  private(set) var sentences: [String] = []

  /// One request done one way.
  private struct Way {
    let layout: JacobianLayout
    let cost: RecurrentCost
    let window: Int
  }

  init(
    _ network: NetworkShape, _ recurrence: Recurrence, _ shape: SequenceShape, dtype: ScalarType,
    requests: [JacobianRequest], others: [RecurrentPart], fixedBytes: Int,
    forced: RecurrentStrategy?, memory: Int?, blockSteps: Int?
  ) throws(PlanError) {
    if let blockSteps, blockSteps < 1 {
      throw PlanError(
        place: "block_steps", reason: "blocks of \(blockSteps) steps", remedy: "allowed: 1 or more")
    }
    let largest = others.reduce(0) { max($0, $1.workspaceCount) }
    let largestSlot = others.reduce(0) { max($0, $1.slotCount) }
    guard !others.contains(where: \.hasOverflowed) else { throw Planner.tooLarge }
    func memoryNeeded(_ layouts: [JacobianLayout]) -> Int? {
      let workspace = layouts.reduce(largest) { max($0, $1.count) }
      let slot = layouts.reduce(largestSlot) { max($0, $1.slotCount) }
      guard !layouts.contains(where: \.hasOverflowed),
        max(workspace, slot) <= Planner.mostBytes / 16
      else { return nil }
      return RecurrentPlan.memory(
        problem: fixedBytes, workspace: workspace, slot: slot, dtype: dtype, sequences: 1,
        threadsEach: 1)
    }
    func fits(_ needed: Int?) -> Bool { needed.map { $0 <= memory ?? .max } ?? false }
    func tooMuch(_ needed: Int?, _ what: String) -> PlanError {
      PlanError(
        place: "memory",
        reason:
          "\(what) takes \(needed.map { "\($0)" } ?? "more than 2^56") bytes with one thread, "
          + "\(memory ?? 0) are allowed",
        remedy: "allow more, or ask for fewer outputs, steps or parameters")
    }
    guard !requests.isEmpty else {
      let needed = memoryNeeded([])
      guard fits(needed) else {
        throw needed == nil ? Planner.tooLarge : tooMuch(needed, "this job")
      }
      if let forced {
        sentences = ["strategy \(forced.rawValue) asked for, but nothing here depends on it"]
      }
      return
    }
    let models = requests.map {
      RecurrentCostModel(
        network: network, recurrence: recurrence, shape: shape, dtype: dtype, outputs: $0.outputs,
        selection: $0.selection, parameters: $0.parameters)
    }
    func layout(_ request: JacobianRequest, _ window: Int, carries: Bool) -> JacobianLayout {
      JacobianLayout(
        network: network, recurrence: recurrence, shape: shape, outputs: request.outputs,
        selection: request.selection, parameters: request.parameters, window: window,
        carries: carries)
    }
    /// The cheapest window that fits, or the least hungry.
    func best(_ strategy: RecurrentStrategy, _ r: Int) -> Way {
      let model = models[r]
      let windows: [Int]
      switch strategy {
      case .forward: windows = [1]
      case .adjoint: windows = [model.adjointWindow]
      case .blocked: windows = blockSteps.map { [min($0, shape.steps)] } ?? model.blockLengths
      }
      let carries = strategy != .adjoint
      let ways = windows.map { (window: $0, cost: model.cost(window: $0, carries: carries)) }
        .sorted { $0.cost.seconds < $1.cost.seconds }
      var least: Way?
      for (window, cost) in ways {
        let way = Way(
          layout: layout(requests[r], window, carries: carries), cost: cost, window: window)
        if fits(memoryNeeded([way.layout])) { return way }
        if !way.layout.hasOverflowed, way.layout.count < least?.layout.count ?? .max { least = way }
      }
      return least
        ?? Way(
          layout: layout(requests[r], windows.first ?? 1, carries: carries),
          cost: ways.first?.cost ?? RecurrentCost(), window: windows.first ?? 1)
    }
    var ways: [RecurrentStrategy: [Way]] = [:]
    for strategy in RecurrentStrategy.allCases {
      // Two steps leave nothing between one step and all; a block length that is forced is taken all the same.
      if strategy == .blocked, blockSteps == nil, shape.steps < 3 { continue }
      let some = requests.indices.map { best(strategy, $0) }
      ways[strategy] = some
      let needed = memoryNeeded(some.map(\.layout))
      var cost = RecurrentCost()
      for way in some {
        cost.speed = way.cost.speed
        cost.add(way.cost, times: 1)
      }
      candidates.append(
        RecurrentPlan.Candidate(
          strategy: strategy, operations: cost.operations, bytesMoved: cost.bytes,
          seconds: cost.seconds, memory: needed ?? .max,
          blockSteps: strategy == .blocked ? some.first?.window : nil, cost: cost,
          fits: fits(needed)))
    }
    let open = candidates.filter { forced == nil ? $0.fits : $0.strategy == forced }
      .sorted { $0.seconds < $1.seconds }
    guard let winner = open.first ?? (forced == nil ? nil : candidates.first) else {
      let least = candidates.min { $0.memory < $1.memory }
      throw tooMuch(
        least?.memory, "even strategy \(least?.strategy.rawValue ?? "forward"), the least hungry,")
    }
    guard winner.fits else {
      if winner.memory == .max { throw Planner.tooLarge }
      throw tooMuch(winner.memory, "strategy \(winner.strategy.rawValue)")
    }
    chosen = winner.strategy
    operations = winner.operations
    for (request, way) in zip(requests, ways[winner.strategy] ?? []) {
      parts.append(
        .jacobian(
          way.layout,
          JacobianTarget(
            way.layout, parameters: request.parameters, isMatrix: request.isMatrix, shape: shape),
          firstArray: request.firstArray))
    }
    let name =
      winner.strategy.rawValue
      + (winner.blockSteps.map { " with blocks of \($0) steps" } ?? "")
    if forced != nil {
      sentences = ["∂z(n)/∂w by \(name), as the job asks"]
    } else {
      let others = candidates.filter { $0.strategy != winner.strategy }.map { other in
        other.fits
          ? "\(other.strategy.rawValue) \(ratio(other.seconds, to: winner.seconds)) times as long"
          : "\(other.strategy.rawValue) does not fit in memory"
      }
      sentences = [
        "∂z(n)/∂w by \(name), the cheapest by the cost model"
          + (others.isEmpty ? "" : ": " + others.joined(separator: ", "))
      ]
    }
  }
}

/// a / b with one digit after the point.
private func ratio(_ a: Double, to b: Double) -> String {
  guard b > 0 else { return "1.0" }
  return "\((a / b * 10).rounded() / 10)"
}

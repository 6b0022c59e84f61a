/// A request for ∂z(n)/∂w multiplied out.
struct JacobianRequest: Sendable {
  let outputs: OutputSubset
  let selection: StepSelection
  let parameters: [Parameter]
  var isMatrix = true
  var firstArray = 0
  /// Who takes the rows; nobody if they are written.
  var takers: [RowShare] = []
  /// The kernel that they make, if they make one.
  var kernel: RecurrentNeuralTangentKernel?
}

extension JacobianRequest {
  /// Asks for rows that others take.
  init(_ rows: RowRequest, takers: [RowShare]) {
    self.init(
      outputs: rows.outputs, selection: rows.selection, parameters: rows.parameters, takers: takers)
  }

  /// Which rows.
  var rowRequest: RowRequest {
    RowRequest(outputs: outputs, selection: selection, parameters: parameters)
  }
}

/// The cheapest way to ∂z(n)/∂w that fits in memory, and why.
struct StrategyChoice: Sendable {
  private(set) var chosen: RecurrentStrategy?
  private(set) var candidates: [RecurrentPlan.Candidate] = []
  private(set) var parts: [RecurrentPart] = []
  private(set) var kernels: [RecurrentKernelLayout] = []
  /// Operations of a sequence of each length, kernels left out.
  private(set) var operations: [Int: Double] = [:]
  private(set) var kernelOperations = 0.0
  private(set) var sentences: [String] = []

  /// One request done one way.
  private struct Way {
    let layout: JacobianLayout
    /// What is made of the rows, if they are not written.
    let rows: RowLayout?
    /// The kernel of those rows, if they make one.
    let kernel: RecurrentKernelLayout?
    let cost: RecurrentCost
    let window: Int

    /// Numbers that a sequence takes.
    var count: Int { kernel?.count ?? rows?.count ?? layout.count }
    var hasOverflowed: Bool {
      kernel?.hasOverflowed ?? rows?.hasOverflowed ?? layout.hasOverflowed
    }
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
    func memoryNeeded(_ ways: [Way]) -> Int? {
      let workspace = ways.reduce(largest) { max($0, $1.count) }
      let slot = ways.reduce(largestSlot) { max($0, $1.layout.slotCount) }
      guard !ways.contains(where: \.hasOverflowed),
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
    func planned(_ r: Int, _ window: Int, carries: Bool, _ cost: RecurrentCost) -> Way {
      let request = requests[r]
      let isTaken = !request.takers.isEmpty || request.kernel != nil
      let layout = JacobianLayout(
        network: network, recurrence: recurrence, shape: shape, outputs: request.outputs,
        selection: request.selection, parameters: request.parameters, window: window,
        carries: carries,
        groupRows: isTaken
          ? RowLayout.groupRows(request.rowRequest) : JacobianLayout.usualGroupRows,
        mostNumbers: isTaken ? RowLayout.mostNumbers : nil)
      let rows =
        isTaken
        ? RowLayout(layout, request.rowRequest, request.takers, shape: shape) : nil
      let kernel = request.kernel.flatMap { kernel in
        rows.map {
          RecurrentKernelLayout($0, kernel, firstArray: request.firstArray, shape: shape)
        }
      }
      return Way(layout: layout, rows: rows, kernel: kernel, cost: cost, window: window)
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
        let way = planned(r, window, carries: carries, cost)
        if fits(memoryNeeded([way])) { return way }
        if !way.hasOverflowed, way.count < least?.count ?? .max { least = way }
      }
      return least
        ?? planned(r, windows.first ?? 1, carries: carries, ways.first?.cost ?? RecurrentCost())
    }
    var ways: [RecurrentStrategy: [Way]] = [:]
    for strategy in RecurrentStrategy.allCases {
      // Two steps leave nothing between one step and all; a block length that is forced is taken all the same.
      if strategy == .blocked, blockSteps == nil, shape.steps < 3 { continue }
      let some = requests.indices.map { best(strategy, $0) }
      ways[strategy] = some
      let needed = memoryNeeded(some)
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
    for (r, (request, way)) in zip(requests, ways[winner.strategy] ?? []).enumerated() {
      /// Operations of one sequence.
      func each(_ length: Int) -> Double {
        models[r].cost(length: length, window: way.window, carries: way.layout.carries).operations
      }
      if let kernel = way.kernel {
        kernels.append(kernel)
        kernelOperations += kernel.operations(each)
        continue
      }
      for length in shape.distinctLengths { operations[length, default: 0] += each(length) }
      if let rows = way.rows {
        parts.append(.rows(rows))
        continue
      }
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

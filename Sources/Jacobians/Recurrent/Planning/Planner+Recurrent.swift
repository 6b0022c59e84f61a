extension Planner {
  /// Checks all requests and sizes of a recurrent job, and decides how it is computed.
  ///
  /// `place`s of errors are document paths. `strategy` forces a way to ∂z(n)/∂w, `blockSteps` its block length;
  /// `memory` is the most the computation may take with one thread, in bytes.
  package static func plan(
    recurrent network: NetworkShape, recurrence: Recurrence, shape: SequenceShape,
    dtype: ScalarType, requests: [GradientRequest], hasTargets: Bool, hasInitialState: Bool,
    verify: Bool, strategy: RecurrentStrategy? = nil, memory: Int? = nil, blockSteps: Int? = nil
  ) throws(PlanError) -> RecurrentPlan {
    try check(network)
    try check(network, recurrence)
    try check(shape)
    let problemBytes = try self.problemBytes(
      network, recurrence, shape, dtype: dtype, hasTargets: hasTargets,
      hasInitialState: hasInitialState, requests: requests)
    let gradients = try recurrentGradients(
      requests, of: network, recurrence, shape, hasTargets: hasTargets)
    let (arrays, firstArrays, resultBytes) = try self.arrays(
      gradients.map { $0.arrays(shape) }, dtype: dtype,
      remedy: "ask for fewer sequences, steps, outputs or parameters")

    var fixedBytes = CheckedSize(0)
    for case let gradient as RecurrentLossGradient in gradients where !gradient.isPerSample {
      fixedBytes.add(gradient.parameters.reduce(0) { $0 + network.count(of: $1) })
    }
    for case let gradient as any VectorGradient in gradients where !gradient.sweep.isPerSample {
      for parameter in gradient.sweep.parameters {
        fixedBytes.add(
          CheckedSize(product: [gradient.sweep.count, network.count(of: parameter)]).value)
      }
    }
    for case let gradient as any RowGradient in gradients {
      for array in gradient.arrays(shape) where !gradient.sumSizes.isEmpty {
        fixedBytes.add(CheckedSize(product: array.shape).value)
      }
    }
    for case let gradient as RecurrentNeuralTangentKernel in gradients {
      // One r(0) is repeated for each of the other sequences.
      let isShared = gradient.others?.initialState?.isShared ?? false
      fixedBytes.add(
        CheckedSize(
          product: [isShared ? gradient.others?.batch ?? 0 : 0, recurrence.units]
        ).value)
    }
    fixedBytes.multiply(by: dtype.byteCount)
    if verify {
      var kept = CheckedSize(
        RecurrentVerification<Double>.numberCount(network, recurrence, shape) ?? .max)
      kept.multiply(by: dtype.byteCount)
      fixedBytes.add(kept.value)
      fixedBytes.add(
        RecurrentVerification<Double>.contractionBytes(
          requests, network, recurrence, shape, dtype: dtype))
    }
    guard let sharedBytes = fixedBytes.value, sharedBytes <= mostBytes else { throw tooLarge }

    var parts: [RecurrentPart] = []
    /// What each pass takes for a sequence of a given length.
    var operations: [(_ length: Int) -> Double] = []
    let shares = zip(gradients, firstArrays).compactMap { gradient, first in
      (gradient as? any StepGradient).map {
        RecurrentPart.StepShare(
          gradient: $0, firstArray: first, arrays: first..<first + $0.arrays(shape).count)
      }
    }
    if !shares.isEmpty {
      let layout = StepLayout(
        network: network, recurrence: recurrence, shape: shape,
        needs: shares.reduce(StepNeeds()) { $0.union($1.gradient.needs) })
      operations.append { layout.operationsPerStep * Double($0) }
      parts.append(.steps(layout, shares))
    }
    for (gradient, first) in zip(gradients, firstArrays) {
      if let gradient = gradient as? RecurrentLossGradient {
        let layout = LossLayout(
          network: network, recurrence: recurrence, shape: shape, parameters: gradient.parameters,
          isPerSample: gradient.isPerSample, dtype: dtype,
          mostBytes: memory.map { $0 - problemBytes - sharedBytes - RecurrentPlan.packingBytes })
        operations.append { LossLayout.operationsPerStep(layout) * Double($0) }
        parts.append(.loss(layout, firstArray: first))
      } else if let gradient = gradient as? any VectorGradient {
        let layout = VectorLayout(
          network: network, recurrence: recurrence, shape: shape, sweep: gradient.sweep,
          dtype: dtype,
          mostBytes: memory.map { $0 - problemBytes - sharedBytes - RecurrentPlan.packingBytes })
        operations.append { layout.operations(length: $0) }
        parts.append(.vectors(layout, firstArray: first))
      } else if let gradient = gradient as? any SweptGradient,
        case .pairs(let sources) = gradient.form
      {
        let layout = PairLayout(
          network: network, recurrence: recurrence, shape: shape, outputs: gradient.outputs,
          selection: gradient.selection, sources: sources)
        operations.append { layout.operations(length: $0) }
        parts.append(.pairs(layout, firstArray: first))
      }
    }
    var jacobians = zip(gradients, firstArrays).compactMap { gradient, first -> JacobianRequest? in
      guard let gradient = gradient as? any SweptGradient,
        case .columns(let parameters, let isMatrix) = gradient.form
      else { return nil }
      return JacobianRequest(
        outputs: gradient.outputs, selection: gradient.selection, parameters: parameters,
        isMatrix: isMatrix, firstArray: first)
    }
    for (gradient, first) in zip(gradients, firstArrays) {
      if let kernel = gradient as? RecurrentNeuralTangentKernel {
        var request = JacobianRequest(kernel.rows, takers: [])
        request.firstArray = first
        request.kernel = kernel
        jacobians.append(request)
      }
      guard let gradient = gradient as? any RowGradient else { continue }
      let share = RowShare(gradient: gradient, firstArray: first)
      operations.append {
        Double(gradient.rows.selection.rows(in: 0..<$0, length: $0).count)
          * gradient.operationsPerStep
      }
      // Gradients of the same rows share them.
      if let same = jacobians.firstIndex(where: {
        !$0.takers.isEmpty && $0.rowRequest == gradient.rows
      }) {
        jacobians[same].takers.append(share)
      } else {
        jacobians.append(JacobianRequest(gradient.rows, takers: [share]))
      }
    }
    let choice = try StrategyChoice(
      network, recurrence, shape, dtype: dtype, requests: jacobians, others: parts,
      fixedBytes: problemBytes + sharedBytes, forced: strategy, memory: memory,
      blockSteps: blockSteps)
    parts += choice.parts
    operations.append { choice.operations[$0] ?? 0 }
    let sequenceOperations = Dictionary(
      uniqueKeysWithValues: shape.distinctLengths.map { length in
        (length, operations.reduce(0) { $0 + $1(length) })
      })
    let blocks = choice.kernels.reduce(blockCount(parts, shape)) { $0 + $1.blockCount }
    return RecurrentPlan(
      network: network, recurrence: recurrence, shape: shape, dtype: dtype, arrays: arrays,
      strategy: describe(parts, choice), chosen: choice.chosen, candidates: choice.candidates,
      operations: shape.total { sequenceOperations[$0] ?? 0 } + choice.kernelOperations,
      sequenceOperations: sequenceOperations, kernelOperations: choice.kernelOperations,
      resultBytes: resultBytes, problemBytes: problemBytes,
      verify: verify, blockCount: blocks, requests: requests, parts: parts, kernels: choice.kernels,
      sharedBytes: sharedBytes)
  }

  /// What is told when a size leaves 63 bits.
  static var tooLarge: PlanError {
    PlanError(
      place: "network", reason: "memory to compute one sequence is more than 2^56 bytes",
      remedy: "ask for fewer outputs or parameters")
  }

  private static func check(
    _ network: NetworkShape, _ recurrence: Recurrence
  ) throws(PlanError) {
    let most = min(network.inputs, network.outputs) - 1
    guard recurrence.units >= 1, recurrence.units <= most else {
      throw PlanError(
        place: "network.recurrent_units",
        reason: "\(recurrence.units) of \(network.inputs) inputs and \(network.outputs) outputs",
        remedy: most >= 1
          ? "allowed: 1 to \(most), so that an input and an output are left"
          : "a recurrent network has at least two inputs and two outputs")
    }
  }

  private static func check(_ shape: SequenceShape) throws(PlanError) {
    guard shape.batch >= 0, shape.steps >= 1 else {
      throw PlanError(
        place: "inputs", reason: "\(shape.batch) sequences of \(shape.steps) steps",
        remedy: "a sequence has at least one step")
    }
    guard let lengths = shape.lengths else { return }
    guard lengths.count == shape.batch else {
      throw PlanError(
        place: "lengths", reason: "\(lengths.count) lengths for \(shape.batch) sequences",
        remedy: "give one for each sequence")
    }
    for (i, length) in lengths.enumerated() where !(1...shape.steps).contains(length) {
      throw PlanError(
        place: "lengths[\(i)]", reason: "a length of \(length)",
        remedy: "allowed: 1 to \(shape.steps)")
    }
  }

  private static func problemBytes(
    _ network: NetworkShape, _ recurrence: Recurrence, _ shape: SequenceShape, dtype: ScalarType,
    hasTargets: Bool, hasInitialState: Bool, requests: [GradientRequest]
  ) throws(PlanError) -> Int {
    var bytes = CheckedSize(0)
    for layer in network.layers {
      bytes.add(CheckedSize(product: [layer.inputs, layer.outputs]).value)
      if layer.hasBiases { bytes.add(layer.outputs) }
    }
    bytes.add(
      CheckedSize(product: [shape.batch, shape.steps, network.outerInputs(recurrence)]).value)
    if hasTargets {
      bytes.add(
        CheckedSize(product: [shape.batch, shape.steps, network.outerOutputs(recurrence)]).value)
    }
    if hasInitialState {
      bytes.add(CheckedSize(product: [shape.batch, recurrence.units]).value)
    }
    for request in requests {
      for shape in request.operandShapes { bytes.add(CheckedSize(product: shape).value) }
    }
    bytes.multiply(by: dtype.byteCount)
    guard let bytes = bytes.value, bytes <= mostBytes else {
      throw PlanError(
        place: "network", reason: "parameters, inputs and targets would not fit 63 bits of bytes",
        remedy: "no such arrays can exist; look for a wrong shape")
    }
    return bytes
  }

  private static func recurrentGradients(
    _ requests: [GradientRequest], of network: NetworkShape, _ recurrence: Recurrence,
    _ shape: SequenceShape, hasTargets: Bool
  ) throws(PlanError) -> [any RecurrentGradient] {
    let allowed = "allowed: " + RecurrentGradients.names.joined(separator: ", ")
    guard !requests.isEmpty else {
      throw PlanError(place: "gradients", reason: "no gradient is asked for", remedy: allowed)
    }
    var gradients: [any RecurrentGradient] = []
    for (i, request) in requests.enumerated() {
      guard let type = RecurrentGradients.all.first(where: { $0.name == request.name }) else {
        throw PlanError(
          place: "gradients[\(i)]",
          reason: "no gradient \"\(request.name)\"", remedy: allowed)
      }
      let options = try GradientOptions(
        request, at: "gradients[\(i)]", network: network, batch: shape.batch,
        hasTargets: hasTargets,
        allowed: type.options, outputCount: network.outerOutputs(recurrence))
      gradients.append(
        try type.init(
          reading: RecurrentOptions(base: options, recurrence: recurrence, shape: shape)))
    }
    return gradients
  }

  private static func blockCount(_ parts: [RecurrentPart], _ shape: SequenceShape) -> Int {
    func blocks(_ length: Int) -> Int { parts.reduce(0) { $0 + $1.blocks(length: length) } }
    guard let lengths = shape.lengths else { return shape.batch * blocks(shape.steps) }
    return lengths.reduce(0) { $0 + blocks($1) }
  }

  private static func describe(_ parts: [RecurrentPart], _ choice: StrategyChoice) -> String {
    var sentences: [String] = []
    for part in parts {
      switch part {
      case .steps(let layout, _):
        sentences.append("steps forwards in windows of \(layout.window)")
      case .loss(let layout, _):
        sentences.append(
          layout.windows == 1
            ? "∂E/∂w by one reverse sweep"
            : "∂E/∂w by one reverse sweep over \(layout.windows) windows of \(layout.window) steps, "
              + "states kept at their edges, all but the last computed twice")
      case .pairs(let layout, _):
        sentences.append("rows pulled back to every earlier step in windows of \(layout.window)")
      case .vectors(let layout, _): sentences.append(layout.sentence)
      case .rows(let layout): sentences.append(layout.sentence)
      case .jacobian: break
      }
    }
    sentences += choice.kernels.map(\.sentence)
    sentences += choice.sentences
    return sentences.joined(separator: "; ")
  }
}

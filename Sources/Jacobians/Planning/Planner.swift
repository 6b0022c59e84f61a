/// Makes plans from shapes alone, before any number is read.
package enum Planner {
  /// Checks all requests and sizes, and decides how the job is computed.
  ///
  /// `place`s of errors are document paths such as `gradients[2].form`. `blockSamples` forces a block size.
  package static func plan(
    network: NetworkShape, batch: Int, dtype: ScalarType, requests: [GradientRequest],
    hasTargets: Bool, verify: Bool, blockSamples: Int? = nil
  ) throws(PlanError) -> Plan {
    try check(network)
    guard batch >= 0 else {
      throw PlanError(
        place: "inputs", reason: "\(batch) samples", remedy: "a batch has no fewer than 0")
    }
    precondition(blockSamples.map { $0 > 0 } ?? true, "a block has at least one sample")
    let problemBytes = try self.problemBytes(
      network, batch: batch, dtype: dtype, hasTargets: hasTargets, requests: requests)
    let all = try self.gradients(requests, of: network, batch: batch, hasTargets: hasTargets)
    let (arrays, allFirstArrays, resultBytes) = try self.arrays(
      all.map { $0.arrays(batch: batch) }, dtype: dtype,
      remedy: "ask for fewer samples, outputs or parameters, or for form \"factored\"")
    let kernels = zip(all, allFirstArrays).compactMap { gradient, first in
      (gradient as? NeuralTangentKernel).map {
        KernelPlan(
          gradient: $0, firstArray: first, batch: batch, dtype: dtype, blockSamples: blockSamples)
      }
    }
    let gradients = bracketed(all.compactMap { $0 as? any BlockGradient })
    let firstArrays = zip(all, allFirstArrays).compactMap { gradient, first in
      gradient is any BlockGradient ? first : nil
    }

    // Beginning with the gradient that reads most outputs, whose rows then lie as they are written.
    let needs = gradients.map(\.needs)
      .sorted { ($0.localGradients?.outputs.count ?? 0) > ($1.localGradients?.outputs.count ?? 0) }
      .reduce(Needs()) { $0.union($1) }
    let samples =
      blockSamples
      ?? BlockSize.samples(network: network, needs: needs, batch: batch, dtype: dtype)

    var layout = ScratchLayout()
    let stages = Stages(
      network: network, needs: needs, samples: samples, dtype: dtype, in: &layout)
    let workStart = layout.count
    var work = ScratchLayout()
    let largest = arrays.reduce(0) { max($0, $1.count) }
    let tileCount = TileStream<Double>.byteCount / dtype.byteCount
    let tile = work.add("tile", rows: 1, columns: max(1, min(largest, tileCount)))
    let sumCounts = gradients.map { gradient in
      gradient.isSummed ? gradient.arrays(batch: batch).map(\.count) : []
    }
    let share = work.add("share", rows: 1, columns: sumCounts.joined().max() ?? 0)
    var workspaceCount = 0
    var hasOverflowed = layout.hasOverflowed || work.hasOverflowed
    for gradient in gradients {
      var own = ScratchLayout()
      gradient.layOut(for: stages, in: &own)
      workspaceCount = max(workspaceCount, own.count)
      hasOverflowed = hasOverflowed || own.hasOverflowed
    }
    for kernel in kernels { hasOverflowed = hasOverflowed || kernel.layout.hasOverflowed }
    var scratchCount = CheckedSize(layout.count)
    scratchCount.add(work.count)
    var scratchBytes = scratchCount
    scratchBytes.add(workspaceCount)
    scratchBytes.multiply(by: dtype.byteCount)
    scratchBytes.add(
      BlockSize.packingBytes(
        network: network, stages: stages, dtype: dtype,
        widestProduct: gradients.map(\.widestProduct).max() ?? 0))
    var sharedBytes = CheckedSize(0)
    for count in sumCounts.joined() { sharedBytes.add(count) }
    sharedBytes.add(kernels.map(\.layout.sharedCount).max() ?? 0)
    sharedBytes.multiply(by: dtype.byteCount)
    if verify {
      sharedBytes.add(EngineFactors.byteCount(network, batch: batch, dtype: dtype))
      sharedBytes.add(
        EngineFactors.contractionBytes(requests, of: network, batch: batch, dtype: dtype))
    }
    guard !hasOverflowed, let scratchCount = scratchCount.value,
      let scratchBytes = scratchBytes.value, let sharedBytes = sharedBytes.value,
      scratchBytes <= mostBytes, sharedBytes <= mostBytes
    else {
      throw PlanError(
        place: "network", reason: "memory to compute one sample is more than 2^56 bytes",
        remedy: "ask for fewer outputs")
    }
    let perSample =
      gradients.isEmpty
      ? 0
      : stages.operationsPerSample + gradients.reduce(0) { $0 + $1.operationsPerSample }
    let operations = kernels.reduce(perSample * Double(batch)) { $0 + $1.layout.operations }
    // Kernels begin when the blocks are done and their scratch is gone.
    let threadBytes = kernels.reduce(gradients.isEmpty ? 0 : scratchBytes) {
      max($0, $1.layout.bytesPerThread)
    }
    return Plan(
      network: network, batch: batch, dtype: dtype, gradients: gradients, arrays: arrays,
      blockSamples: samples,
      strategy: strategy(gradients.isEmpty ? nil : stages, kernels), operations: operations,
      operationsPerSample: perSample,
      resultBytes: resultBytes, problemBytes: problemBytes, scratchBytesPerThread: threadBytes,
      sharedBytes: sharedBytes, verify: verify, requests: requests, stages: stages,
      firstArrays: firstArrays, scratchCount: scratchCount,
      workStart: workStart, tile: tile, share: share,
      sumCounts: sumCounts, workspaceCount: workspaceCount, kernels: kernels)
  }

  /// No size may exceed this, so that sums of some of them, over many threads, still fit.
  static let mostBytes = 1 << 56

  static func check(_ network: NetworkShape) throws(PlanError) {
    for (index, layer) in network.layers.enumerated() {
      let place = "network.layers[\(index)]"
      guard layer.inputs > 0, layer.outputs > 0 else {
        throw PlanError(
          place: place, reason: "weights of shape (\(layer.outputs), \(layer.inputs))",
          remedy: "a layer has at least one input and one output")
      }
      guard max(layer.inputs, layer.outputs) <= Int(Int32.max) else {
        throw PlanError(
          place: place, reason: "weights of shape (\(layer.outputs), \(layer.inputs))",
          remedy: "a layer has at most \(Int32.max) inputs and outputs")
      }
      if let reason = layer.activation.invalidity {
        throw PlanError(
          place: "\(place).activation", reason: reason.reason, remedy: reason.remedy)
      }
    }
  }

  private static func problemBytes(
    _ network: NetworkShape, batch: Int, dtype: ScalarType, hasTargets: Bool,
    requests: [GradientRequest]
  ) throws(PlanError) -> Int {
    var bytes = CheckedSize(0)
    for layer in network.layers {
      bytes.add(CheckedSize(product: [layer.inputs, layer.outputs]).value)
      if layer.hasBiases { bytes.add(layer.outputs) }
    }
    bytes.add(CheckedSize(product: [batch, network.inputs]).value)
    if hasTargets { bytes.add(CheckedSize(product: [batch, network.outputs]).value) }
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

  private static func gradients(
    _ requests: [GradientRequest], of network: NetworkShape, batch: Int, hasTargets: Bool
  ) throws(PlanError) -> [any Gradient] {
    var allowed: String { "allowed: " + Gradients.names.joined(separator: ", ") }
    guard !requests.isEmpty else {
      throw PlanError(place: "gradients", reason: "no gradient is asked for", remedy: allowed)
    }
    var gradients: [any Gradient] = []
    for (i, request) in requests.enumerated() {
      guard let type = Gradients.all.first(where: { $0.name == request.name }) else {
        throw PlanError(
          place: "gradients[\(i)]", reason: "no gradient \"\(request.name)\"", remedy: allowed)
      }
      let options = try GradientOptions(
        request, at: "gradients[\(i)]", network: network, batch: batch, hasTargets: hasTargets,
        allowed: type.options)
      gradients.append(try type.init(reading: options))
    }
    return gradients
  }

  /// All arrays of all gradients, where each gradient's begin, and their bytes; no path may come twice, no size overflow.
  static func arrays(
    _ gradients: [[ResultArray]], dtype: ScalarType, remedy: String
  ) throws(PlanError) -> (arrays: [ResultArray], firstArrays: [Int], bytes: Int) {
    var arrays: [ResultArray] = []
    var firstArrays: [Int] = []
    var owners: [String: Int] = [:]
    var total = CheckedSize(0)
    for (i, gradient) in gradients.enumerated() {
      firstArrays.append(arrays.count)
      for array in gradient {
        if let owner = owners.updateValue(i, forKey: array.path) {
          throw PlanError(
            place: "gradients[\(i)]",
            reason: "gives \(array.path), which gradients[\(owner)] gives already",
            remedy: "ask for each array once")
        }
        var bytes = CheckedSize(product: array.shape)
        bytes.multiply(by: dtype.byteCount)
        total.add(bytes.value)
        guard let size = total.value, size <= mostBytes else {
          let shape = array.shape.map { "\($0)" }.joined(separator: ", ")
          throw PlanError(
            place: "gradients[\(i)]",
            reason: "\(array.path) of shape (\(shape)) makes the results larger than 2^56 bytes",
            remedy: remedy)
        }
        arrays.append(array)
      }
    }
    return (arrays, firstArrays, total.value ?? 0)
  }

  /// The gradients, those of the inputs by the bracketing that is cheapest beside the others.
  private static func bracketed(_ gradients: [any BlockGradient]) -> [any BlockGradient] {
    let others = gradients.filter { !($0 is InputJacobian) }
      .reduce(Needs()) { $0.union($1.needs) }
    return gradients.map { ($0 as? InputJacobian)?.beside(others) ?? $0 }
  }

  private static func strategy(_ stages: Stages?, _ kernels: [KernelPlan]) -> String {
    ((stages.map { [strategy($0)] } ?? []) + kernels.map(\.layout.strategy))
      .joined(separator: "; ")
  }

  private static func strategy(_ stages: Stages) -> String {
    var steps = ["forward pass"]
    if let sweep = stages.localGradients {
      let all = stages.network.outputs
      let outputs =
        sweep.rowsPerSample == all
        ? "all \(all) outputs" : "\(sweep.rowsPerSample) of \(all) outputs"
      let end = sweep.lowest == 0 ? "the inputs" : "layer \(sweep.lowest)"
      steps.append("local gradients of \(outputs) down to \(end)")
    }
    if let sweep = stages.residuals {
      steps.append("backpropagation of y − t down to layer \(sweep.lowest)")
    }
    if let lowest = stages.needs.slopes.min() {
      steps.append(
        "products with vectors through layers \(lowest) to \(stages.network.layers.count)")
    }
    steps.append("contraction")
    return steps.joined(separator: ", then ")
  }
}

extension Activation {
  /// What is wrong with its parameters, if anything.
  var invalidity: (reason: String, remedy: String)? {
    for (name, value) in parameters where !value.isFinite && name != "threshold" {
      return ("\(self.name) with \(name) = \(value)", "\(name) is a finite number")
    }
    switch self {
    case .softplus(let beta, let threshold):
      if beta == 0 { return ("softplus with beta = 0", "beta is not 0") }
      if threshold.isNaN { return ("softplus with threshold = nan", "threshold is a number") }
      return nil
    case .hardTanh(let minimum, let maximum) where minimum >= maximum:
      return (
        "hard-tanh with minimum = \(minimum), maximum = \(maximum)",
        "minimum is less than maximum"
      )
    default: return nil
    }
  }
}

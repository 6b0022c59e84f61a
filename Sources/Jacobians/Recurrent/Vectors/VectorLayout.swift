/// Where the sweeps of a `VectorPass` over one sequence keep their numbers.
///
/// A window of steps is held at a time. With a sweep backwards r is kept before each window, so that windows before the last are
/// computed twice: memory grows like √T at most, beside the rows H J V of a Gauss–Newton product, (T, K, m).
struct VectorLayout: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  let sweep: VectorSweep
  /// Steps of a window.
  let window: Int
  let windows: Int
  let trajectory: TrajectoryLayout
  /// V_k of all vectors, (K, n_k, n_{k−1}), and c_k, (K, n_k), at index k − 1; empty where V does not move them.
  let movedWeights: [Region]
  let movedBiases: [Region]
  /// Tangents of layer k on the way forwards, then rows with respect to v_k, (window, K, n_k), at index k − 1.
  let rows: [Region]
  /// Tangents of r, then rows with respect to r, (K, R).
  let state: Region
  /// W_1r, (n_1, R), rows `weightStride` apart; empty if nothing is pulled back.
  let weights: Region
  /// H J V, (T asked for, K, m); empty unless it is pulled back.
  let products: Region
  /// p = softmax(y(n)), (m), for cross-entropy.
  let probabilities: Region
  /// What is pulled back, for each parameter (K, …), one after another.
  let sums: Region
  /// What goes to the sink, for J V.
  let stream: Region
  let count: Int
  let hasOverflowed: Bool

  /// Numbers of a window, unless a step has more: what the second-level cache or little more holds.
  static let mostNumbers = 1 << 19

  init(
    network: NetworkShape, recurrence: Recurrence, shape: SequenceShape, sweep: VectorSweep,
    dtype: ScalarType, mostBytes: Int? = nil
  ) {
    let (widths, overflow) = network.layers.reduce(0, { $0 + $1.outputs })
      .multipliedReportingOverflow(by: sweep.count)
    let perStep = network.layers.reduce(network.inputs) { $0 + 2 * $1.outputs }
    let (numbers, pastSum) = perStep.addingReportingOverflow(overflow ? .max / 2 : widths)
    // Windows and checkpoints together are least at √T, but a window may always be as large as this.
    let root = sweep.isPulledBack ? max(1, Int(Double(shape.steps).squareRoot())) : 1
    var window = max(VectorLayout.mostNumbers / max(1, pastSum ? .max : numbers), root)
    self.init(network, recurrence, shape, sweep, window: window)
    while let mostBytes, count > mostBytes / dtype.byteCount, window > root {
      window = max(root, min(window, shape.steps) / 2)
      self.init(network, recurrence, shape, sweep, window: window)
    }
  }

  private init(
    _ network: NetworkShape, _ recurrence: Recurrence, _ shape: SequenceShape, _ sweep: VectorSweep,
    window most: Int
  ) {
    self.network = network
    self.recurrence = recurrence
    self.sweep = sweep
    let vectors = sweep.count
    let steps = max(1, sweep.selection.end(length: shape.steps))
    let window = max(1, min(steps, most))
    self.window = window
    windows = (steps - 1) / window + 1
    var layout = ScratchLayout()
    trajectory = TrajectoryLayout(
      network, recurrence, window: window, windows: sweep.isPulledBack ? windows : 1,
      isPulledBack: true, in: &layout)
    /// Numbers of each vector.
    func perVector(_ name: String, _ rows: Int, _ columns: Int) -> Region {
      let (size, overflow) = rows.multipliedReportingOverflow(by: columns)
      return layout.add(name, rows: vectors, columns: overflow ? .max : size)
    }
    let directions = sweep.directions
    func moves(_ kind: Parameter.Kind, _ k: Int) -> Bool {
      directions?.moves(Parameter(kind: kind, layer: k)) ?? false
    }
    let layers = network.layers
    movedWeights = layers.indices.map { k in
      perVector("V\(k + 1)", moves(.weights, k + 1) ? layers[k].outputs : 0, layers[k].inputs)
    }
    movedBiases = layers.indices.map { k in
      perVector("c\(k + 1)", moves(.biases, k + 1) ? 1 : 0, layers[k].outputs)
    }
    rows = layers.indices.map { k in perVector("rows\(k + 1)", window, layers[k].outputs) }
    state = perVector("rows of r", 1, recurrence.units)
    weights = layout.add(
      "W1r", rows: sweep.isPulledBack ? network.width(1) : 0,
      columns: TrajectoryLayout.weightStride(recurrence.units))
    let m = network.outerOutputs(recurrence)
    let isKept = sweep.isPulledBack && directions != nil
    products = perVector("H J V", isKept ? sweep.selection.count(of: shape.steps) : 0, m)
    probabilities = layout.add(
      "p", rows: sweep.loss == .softmaxCrossEntropy ? 1 : 0, columns: m)
    sums = perVector("sums", 1, sweep.parameters.reduce(0) { $0 + network.count(of: $1) })
    stream = layout.add(
      "stream", rows: sweep.isPulledBack ? 0 : 1,
      columns: TileStream<Double>.byteCount / MemoryLayout<Double>.stride)
    count = layout.count
    hasOverflowed = layout.hasOverflowed
  }

  /// Into how many blocks a sequence of that length is divided: windows forwards with tangents, windows backwards.
  func blocks(length: Int) -> Int {
    let end = sweep.selection.end(length: length)
    let some = end == 0 ? 0 : (end - 1) / window + 1
    return some * ((sweep.directions == nil ? 0 : 1) + (sweep.isPulledBack ? 1 : 0))
  }

  /// Operations of a sequence of that length.
  func operations(length: Int) -> Double {
    let end = sweep.selection.end(length: length)
    let again = sweep.isPulledBack ? max(0, end - window) : 0
    var perStep = 0.0
    for (k, layer) in network.layers.enumerated() {
      let product = 2 * Double(k == 0 ? recurrence.units : layer.inputs) * Double(layer.outputs)
      if let directions = sweep.directions {
        perStep += product + 2 * Double(layer.outputs)
        if directions.moves(Parameter(kind: .weights, layer: k + 1)) {
          perStep += 2 * Double(layer.inputs) * Double(layer.outputs)
        }
      }
      if sweep.isPulledBack { perStep += product + Double(layer.outputs) }
    }
    perStep += 2 * sweep.parameters.reduce(0) { $0 + Double(network.count(of: $1)) }
    return Double(end) * perStep * Double(sweep.count)
      + Double(end + again) * TrajectoryLayout.operationsPerStep(network)
  }

  /// What is told of it in the plan.
  var sentence: String {
    let pulled =
      windows == 1
      ? "one reverse sweep"
      : "one reverse sweep over \(windows) windows of \(window) steps, states kept at their edges, "
        + "all but the last computed twice"
    if sweep.directions == nil { return "uᵀ∂y/∂w by \(pulled)" }
    let moved = "one sweep of tangents forwards in windows of \(window)"
    return sweep.isPulledBack ? "G V by \(moved) and \(pulled)" : "J V by \(moved)"
  }
}

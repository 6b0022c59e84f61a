/// Where the forward pass of one sequence keeps a window of its steps, and the states between windows.
struct TrajectoryLayout: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  /// The most steps in a window.
  let window: Int
  /// a_0…a_L, (window, n_k).
  let activations: [Region]
  /// What `Activation.pullBack` multiplies by, at index k − 1; empty for identities and where nothing is pulled back.
  let slopes: [Region]
  /// r before the window's first step, then r after its last, (R).
  let state: Region
  /// r before each window, (windows, R); empty when windows are passed once.
  let checkpoints: Region
  /// What each step multiplies by, stored so that a row belongs to one input: W_1r transposed, (R, n_1), then W_k
  /// transposed; rows are `weightStride` apart.
  let weights: [Region]
  /// b_2…b_L at index 1…L − 1; empty where there are none. Those of layer 1 join for a whole window at once.
  let biases: [Region]

  init(
    _ network: NetworkShape, _ recurrence: Recurrence, window: Int, windows: Int,
    isPulledBack: Bool,
    in layout: inout ScratchLayout
  ) {
    self.network = network
    self.recurrence = recurrence
    self.window = window
    activations = (0...network.layers.count).map { k in
      layout.add("a\(k)", rows: window, columns: network.width(k))
    }
    slopes = network.layers.enumerated().map { k, layer in
      let isNeeded = isPulledBack && layer.activation != .identity
      return layout.add("slopes\(k + 1)", rows: isNeeded ? window : 0, columns: layer.outputs)
    }
    state = layout.add("state", rows: 1, columns: recurrence.units)
    checkpoints = layout.add(
      "checkpoints", rows: windows > 1 ? windows : 0, columns: recurrence.units)
    weights = network.layers.enumerated().map { k, layer in
      layout.add(
        "W\(k + 1) transposed", rows: k == 0 ? recurrence.units : layer.inputs,
        columns: TrajectoryLayout.weightStride(layer.outputs))
    }
    biases = network.layers.enumerated().map { k, layer in
      layout.add("b\(k + 1)", rows: k > 0 && layer.hasBiases ? 1 : 0, columns: layer.outputs)
    }
  }

  /// How far rows of `width` weights are apart: whole vector registers, so that no load crosses two lines of the cache.
  static func weightStride(_ width: Int) -> Int { (width + 7) & ~7 }

  /// Operations of one step.
  static func operationsPerStep(_ network: NetworkShape) -> Double {
    network.layers.reduce(0) {
      $0 + 2 * Double($1.inputs) * Double($1.outputs) + 10 * Double($1.outputs)
    }
  }
}

/// The forward pass of one sequence, window by window: z(n) = f(x(n), r(n−1)).
///
/// What x and biases give layer 1 is one product over the window; each step then adds W_1r r(n−1).
struct Trajectory<T: Scalar> {
  let layout: TrajectoryLayout
  let problem: RecurrentProblem<T>
  let products: StepProducts
  let workspace: Workspace<T>
  /// The sequence it belongs to.
  let sequence: Int
  /// The steps that stand in the window.
  private(set) var steps = 0..<0
  /// What the steps showed, each counted once.
  var numerics = Numerics()
  private var seen = 0
  private let counts: Bool

  /// Begins a sequence; only a trajectory that `counts` looks for kinks and numbers that are not finite.
  init(
    _ layout: TrajectoryLayout, of sequence: Int, in job: RecurrentJob<T>, workspace: Workspace<T>,
    counts: Bool
  ) {
    self.layout = layout
    self.sequence = sequence
    self.counts = counts
    self.workspace = workspace
    problem = job.problem
    products = job.products
    var state = workspace.mutable(layout.state)
    let units = layout.recurrence.units
    if let initial = problem.initialState {
      copy(initial.span.extracting(sequence * units..<(sequence + 1) * units), to: &state)
    } else {
      for i in state.indices { state[i] = 0 }
    }
    keepWeights()
  }

  private func keepWeights() {
    for (k, layer) in layout.network.layers.enumerated() {
      let skipped = k == 0 ? layer.inputs - layout.recurrence.units : 0
      let weights = problem.network.weights[k]
      let w = weights.span
      var transposed = workspace.mutable(layout.weights[k])
      let stride = TrajectoryLayout.weightStride(layer.outputs)
      for j in 0..<layer.outputs {
        for i in skipped..<layer.inputs {
          transposed[(i - skipped) * stride + j] = w[j * layer.inputs + i]
        }
      }
      if let biases = problem.network.biases[k], k > 0 {
        var kept = workspace.mutable(layout.biases[k])
        copy(biases.span, to: &kept)
      }
    }
  }

  /// Computes the next steps, which become the window; the state before them is kept if there are checkpoints.
  mutating func advance(over next: Range<Int>) {
    if layout.checkpoints.count > 0 {
      let units = layout.recurrence.units
      let index = next.lowerBound / layout.window
      var place = workspace.mutable(layout.checkpoints.rows(index..<index + 1, width: units))
      copy(workspace.numbers(layout.state), to: &place)
    }
    compute(next)
  }

  /// Makes a window that was passed already the current one, computing it again if it is not.
  mutating func restore(_ window: Range<Int>) {
    if steps == window { return }
    let units = layout.recurrence.units
    let index = window.lowerBound / layout.window
    var state = workspace.mutable(layout.state)
    copy(
      workspace.numbers(layout.checkpoints.rows(index..<index + 1, width: units)), to: &state)
    compute(window)
  }

  /// a_k of some steps of the window, (steps, n_k).
  @inline(__always)
  func activations(_ k: Int, _ some: Range<Int>) -> Region {
    layout.activations[k].rows(
      some.lowerBound - steps.lowerBound..<some.upperBound - steps.lowerBound,
      width: layout.network.width(k))
  }

  /// The slopes of layer k at some steps of the window, (steps, n_k); empty for an identity.
  @inline(__always)
  func slopes(_ k: Int, _ some: Range<Int>) -> Region {
    let region = layout.slopes[k - 1]
    guard region.count > 0 else { return region }
    return region.rows(
      some.lowerBound - steps.lowerBound..<some.upperBound - steps.lowerBound,
      width: layout.network.width(k))
  }

  private mutating func compute(_ window: Range<Int>) {
    steps = window
    let workspace = workspace
    let network = layout.network
    let units = layout.recurrence.units
    let outer = network.outerInputs(layout.recurrence)
    let count = window.count
    let isNew = counts && window.upperBound > seen
    if isNew { seen = window.upperBound }
    load(window, isNew: isNew)
    let layers = network.layers
    let biases = problem.network.biases
    let firstWeights = problem.network.weights[0]
    let last = layers.count
    // Layer 1 before its recurrent part: W_1x x(n) + b_1 for the whole window.
    let first = layers[0]
    do {
      var fields = workspace.mutable(layout.activations[1])
      if let first = biases[0] {
        fillRows(&fields, with: first.span, rows: count)
      }
      products.blas.multiply(
        Matrix(
          workspace.numbers(layout.activations[0]), rows: count, columns: outer,
          stride: network.inputs),
        Matrix(
          firstWeights.span, rows: first.outputs, columns: outer,
          stride: network.inputs
        ).transposed,
        adding: biases[0] == nil ? 0 : 1, into: &fields)
    }
    takeSteps(count, looksForKinks: isNew)
    var state = workspace.mutable(layout.state)
    if count > 0 {
      let z = layout.activations[last].rows(count - 1..<count, width: network.outputs)
      copy(workspace.numbers(z.part(network.outputs - units..<network.outputs)), to: &state)
    }
    if isNew { look(at: window) }
  }

  /// Layer by layer, step by step: the one loop of the forward pass that cannot be a product over many steps.
  ///
  /// All numbers come from the workspace, whose span is made once: a step of a small network takes less time than
  /// a few objects take to be retained.
  private mutating func takeSteps(_ count: Int, looksForKinks: Bool) {
    let workspace = workspace
    let products = products
    let network = layout.network
    let units = layout.recurrence.units
    let outer = network.outerInputs(layout.recurrence)
    let widest = network.inputs
    let zWidth = network.outputs
    let numbers = workspace.numbers(workspace.all)
    var places = workspace.mutable(workspace.all)
    let layers = network.layers.enumerated().map { k, layer in
      StepLayer(
        activation: layer.activation, depth: k == 0 ? units : layer.inputs, width: layer.outputs,
        fields: layout.activations[k + 1].offset, slopes: layout.slopes[k].offset,
        hasSlopes: layout.slopes[k].count > 0, weights: layout.weights[k].offset,
        biases: layout.biases[k].count > 0 ? layout.biases[k].offset : nil,
        looksForKinks: looksForKinks && layer.activation.hasKinks)
    }
    var kinks = 0
    // r(n − 1): the state at first, then the end of the row of z before.
    var state = layout.state.offset
    for row in 0..<count {
      let recurrent = layout.activations[0].offset + row * widest + outer
      do {
        let r = numbers.extracting(state..<state + units)
        var place = places._mutatingExtracting(recurrent..<recurrent + units)
        copy(r, to: &place)
      }
      var below = recurrent
      for layer in layers.indices {
        let layer = layers[layer]
        let start = layer.fields + row * layer.width
        var fields = places._mutatingExtracting(start..<start + layer.width)
        if let biases = layer.biases {
          copy(numbers.extracting(biases..<biases + layer.width), to: &fields)
        }
        products.multiply(
          numbers, at: below, stride: layer.depth, rows: 1, depth: layer.depth, numbers,
          at: layer.weights, stride: TrajectoryLayout.weightStride(layer.width), width: layer.width,
          adding: layer.biases != nil || below == recurrent, into: &fields)
        if layer.looksForKinks { kinks += layer.activation.countKinks(in: fields.span) }
        let slopeStart = layer.hasSlopes ? layer.slopes + row * layer.width : 0
        var other = workspace.mutable(
          Region(name: "", offset: slopeStart, count: layer.hasSlopes ? layer.width : 0))
        layer.activation.apply(to: &fields, width: layer.width, slopes: &other)
        below = start
      }
      state = below + zWidth - units
    }
    numerics.atKinks += kinks
  }

  private mutating func load(_ window: Range<Int>, isNew: Bool) {
    let network = layout.network
    let outer = network.outerInputs(layout.recurrence)
    let start = (sequence * problem.shape.steps + window.lowerBound) * outer
    let inputs = problem.inputs
    let x = inputs.span.extracting(start..<start + window.count * outer)
    var rows = workspace.mutable(layout.activations[0])
    for row in 0..<window.count {
      var place = rows._mutatingExtracting(row * network.inputs..<row * network.inputs + outer)
      copy(x.extracting(row * outer..<(row + 1) * outer), to: &place)
    }
    guard isNew else { return }
    numerics.inputs.add(Numerics.NonFinite(in: x))
    if let targets = problem.targets {
      let m = network.outerOutputs(layout.recurrence)
      let first = (sequence * problem.shape.steps + window.lowerBound) * m
      numerics.targets.add(
        Numerics.NonFinite(in: targets.span.extracting(first..<first + window.count * m)))
    }
  }

  private mutating func look(at window: Range<Int>) {
    let workspace = workspace
    for (index, layer) in layout.network.layers.enumerated() {
      let saturated = layer.activation.countSaturated(
        in: workspace.numbers(activations(index + 1, window)))
      numerics.saturated += saturated
    }
    let z = workspace.numbers(activations(layout.network.layers.count, window))
    let found = Numerics.NonFinite(in: z)
    numerics.outputs.add(found)
  }
}

/// What a step needs to know of a layer; offsets are counted in the workspace.
private struct StepLayer {
  let activation: Activation
  let depth: Int
  let width: Int
  let fields: Int
  let slopes: Int
  let hasSlopes: Bool
  let weights: Int
  let biases: Int?
  let looksForKinks: Bool
}

extension Activation {
  /// Whether `kinks` has any, without making the list.
  var hasKinks: Bool {
    switch self {
    case .relu, .selu, .leakyReLU, .elu, .hardTanh: true
    default: false
    }
  }
}

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
  }

  /// Operations of one step.
  static func operationsPerStep(_ network: NetworkShape) -> Double {
    network.layers.reduce(0) {
      $0 + 2 * Double($1.inputs) * Double($1.outputs) + 10 * Double($1.outputs)
    }
  }
}

/// Matrices that each step multiplies by, stored so that a row of them belongs to one input.
struct StepWeights<T: Scalar>: Sendable {
  /// W_1r transposed, (R, n_1), then W_k transposed, (n_{k−1}, n_k).
  let transposed: [Values<T>]

  init(_ network: Network<T>, _ recurrence: Recurrence) {
    transposed = network.shape.layers.enumerated().map { index, layer in
      let skipped = index == 0 ? layer.inputs - recurrence.units : 0
      let depth = layer.inputs - skipped
      let weights = network.weights[index]
      return Values<T>(count: depth * layer.outputs) { span in
        let w = weights.span
        for j in 0..<layer.outputs {
          for i in 0..<depth { span[i * layer.outputs + j] = w[j * layer.inputs + skipped + i] }
        }
      }
    }
  }

  /// How many numbers they are.
  static func count(_ network: NetworkShape) -> Int? {
    var size = CheckedSize(0)
    for layer in network.layers {
      size.add(CheckedSize(product: [layer.inputs, layer.outputs]).value)
    }
    return size.value
  }
}

/// The forward pass of one sequence, window by window: z(n) = f(x(n), r(n−1)).
///
/// What x and biases give layer 1 is one product over the window; each step then adds W_1r r(n−1).
struct Trajectory<T: Scalar> {
  let layout: TrajectoryLayout
  let problem: RecurrentProblem<T>
  let stepWeights: StepWeights<T>
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
    stepWeights = job.stepWeights
    products = job.products
    var state = workspace.mutable(layout.state)
    let units = layout.recurrence.units
    if let initial = problem.initialState {
      copy(initial.span.extracting(sequence * units..<(sequence + 1) * units), to: &state)
    } else {
      for i in state.indices { state[i] = 0 }
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
    for row in 0..<count {
      var below = layout.activations[0].rows(row..<row + 1, width: network.inputs)
        .part(outer..<network.inputs)
      do {
        var recurrent = workspace.mutable(below)
        if row == 0 {
          copy(workspace.numbers(layout.state), to: &recurrent)
        } else {
          let z = layout.activations[last].rows(row - 1..<row, width: network.outputs)
          copy(workspace.numbers(z.part(network.outputs - units..<network.outputs)), to: &recurrent)
        }
      }
      for index in layers.indices {
        let layer = layers[index]
        let place = layout.activations[index + 1].rows(row..<row + 1, width: layer.outputs)
        var fields = workspace.mutable(place)
        if index > 0, let own = biases[index] { copy(own.span, to: &fields) }
        let weights = stepWeights.transposed[index]
        products.multiply(
          workspace.numbers(below), at: 0, stride: below.count, rows: 1, depth: below.count,
          weights.span, at: 0, stride: layer.outputs, width: layer.outputs,
          adding: index == 0 || biases[index] != nil, into: &fields)
        if isNew, layer.activation.hasKinks {
          let kinks = layer.activation.countKinks(in: fields.span)
          numerics.atKinks += kinks
        }
        let slopeRegion = layout.slopes[index]
        var slopes = workspace.mutable(
          slopeRegion.count == 0
            ? slopeRegion : slopeRegion.rows(row..<row + 1, width: layer.outputs))
        layer.activation.apply(to: &fields, width: layer.outputs, slopes: &slopes)
        below = place
      }
    }
    var state = workspace.mutable(layout.state)
    if count > 0 {
      let z = layout.activations[last].rows(count - 1..<count, width: network.outputs)
      copy(workspace.numbers(z.part(network.outputs - units..<network.outputs)), to: &state)
    }
    if isNew { look(at: window) }
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

extension Activation {
  /// Whether `kinks` has any, without making the list.
  var hasKinks: Bool {
    switch self {
    case .relu, .selu, .leakyReLU, .elu, .hardTanh: true
    default: false
    }
  }
}

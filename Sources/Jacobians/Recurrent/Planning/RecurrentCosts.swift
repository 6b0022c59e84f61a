/// The constants of the recurrent cost model, found by measurement on one thread.
///
/// `swift run -c release recurrentbench calibrate` measures the predictions against all three strategies.
enum RecurrentRates {
  /// Operations a second of products whose rows and columns are many: contraction and S.
  static let products = 45e9
  /// Operations a second of the products that pull rows back, a step at a time.
  static let steps = 25e9
  /// Operations a second of what has no product: forward steps of one row.
  static let rows = 6e9
  /// Bytes a second of what is read and written outside the nearest cache.
  static let bytes = 12e9
  /// Seconds of a call of BLAS before it computes.
  static let call = 0.6e-6
  /// Seconds of a small piece of work without such a call.
  static let piece = 0.15e-6
}

/// What one way to ∂z(n)/∂w takes, on one thread.
struct RecurrentCost: Sendable {
  /// Operations.
  var operations = 0.0
  /// Bytes moved.
  var bytes = 0.0
  /// Seconds.
  var seconds = 0.0

  mutating func add(_ other: RecurrentCost, times count: Double) {
    operations += other.operations * count
    bytes += other.bytes * count
    seconds += other.seconds * count
  }
}

/// The cost model of ∂z(n)/∂w in windows of h steps: a sum over windows, from shapes only.
struct RecurrentCostModel: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  let shape: SequenceShape
  let dtype: ScalarType
  let outputs: OutputSubset
  let selection: StepSelection
  let parameters: [Parameter]
  private let pullPerRow: Double
  private let carriedColumns: Double
  private let writtenColumns: Double
  private let keptUnits: Double
  private let bundles: Double
  private let forwardPerStep: Double

  init(
    network: NetworkShape, recurrence: Recurrence, shape: SequenceShape, dtype: ScalarType,
    outputs: OutputSubset, selection: StepSelection, parameters: [Parameter]
  ) {
    self.network = network
    self.recurrence = recurrence
    self.shape = shape
    self.dtype = dtype
    self.outputs = outputs
    self.selection = selection
    self.parameters = parameters
    let isReduced = network.layers[network.layers.count - 1].activation.isElementwise
    func kept(_ k: Int) -> Double {
      Double(
        RowSweep<Double>.kept(k, of: network, recurrence, isReduced: isReduced).count)
    }
    pullPerRow = (1...network.layers.count).reduce(0) { sum, k in
      sum + 2 * kept(k) * Double(k == 1 ? recurrence.units : network.width(k - 1))
    }
    let tiles = ColumnTile.cut(network, recurrence, parameters: parameters, isReduced: isReduced)
    carriedColumns = tiles.reduce(0) {
      $0 + ($1.isDirect ? 0 : Double($1.weightColumns + $1.biasColumns))
    }
    writtenColumns = tiles.reduce(0) { $0 + Double($1.weightColumns + $1.biasColumns) }
    keptUnits = Set(tiles.map(\.layer)).reduce(0) { $0 + kept($1) }
    bundles = Double(ColumnTile.bundle(tiles).count)
    forwardPerStep = TrajectoryLayout.operationsPerStep(network)
  }

  /// The cost of all sequences with windows of h steps over which S is carried, or with none carried.
  func cost(window: Int, carries: Bool) -> RecurrentCost {
    var total = RecurrentCost()
    guard let lengths = shape.lengths else {
      total.add(
        cost(length: shape.steps, window: window, carries: carries), times: Double(shape.batch))
      return total
    }
    var counts: [Int: Int] = [:]
    for length in lengths { counts[length, default: 0] += 1 }
    for (length, count) in counts.sorted(by: { $0.key < $1.key }) {
      total.add(cost(length: length, window: window, carries: carries), times: Double(count))
    }
    return total
  }

  private func cost(length: Int, window: Int, carries: Bool) -> RecurrentCost {
    let end = selection.end(length: length)
    var total = RecurrentCost()
    let forward = forwardPerStep * Double(end)
    total.operations += forward
    total.seconds += forward / RecurrentRates.rows
    var first = 0
    while first < end {
      let next = carries ? min(first + window, end) : end
      let rows = selection.rows(in: first..<next, length: length)
      // Pairs of a target step and a step of this window that it owes something to.
      var depth = 0.0
      if selection == .all {
        depth = Double(next - first) * Double(next - first + 1) / 2
      } else {
        for row in rows { depth += Double(selection.step(at: row, length: length) - first + 1) }
      }
      total.add(
        windowCost(
          steps: Double(next - first), targets: Double(rows.count), depth: depth,
          isFirst: first == 0, isLast: next == end), times: 1)
      first = next
    }
    return total
  }

  private func windowCost(
    steps: Double, targets: Double, depth: Double, isFirst: Bool, isLast: Bool
  ) -> RecurrentCost {
    let size = Double(dtype.byteCount)
    // A number of float32 takes half the time in a vector register.
    let speed = 8 / size
    let units = Double(recurrence.units)
    let targetRows = targets * Double(outputs.count)
    let carriedRows = isLast ? 0 : units
    let pulled = depth * Double(outputs.count) + carriedRows * steps
    let rows = targetRows + carriedRows
    let groupRows = Double(JacobianLayout.usualGroupRows)
    let groups = (targetRows / groupRows).rounded(.up) + (carriedRows / groupRows).rounded(.up)

    var cost = RecurrentCost()
    let pull = pulled * pullPerRow
    var product = pulled * 2 * carriedColumns
    if !isFirst { product += rows * 2 * units * carriedColumns }
    cost.operations = pull + product
    // S is read for every group and written; rows are written, read and copied; G is written and read.
    cost.bytes =
      size
      * ((isFirst ? 0 : groups * units * carriedColumns) + carriedRows * carriedColumns
        + 3 * targetRows * writtenColumns + 2 * pulled * keptUnits)
    let stepsPerGroup = groups == 0 ? 0 : min(steps, pulled / max(1, rows) * 2)
    let productsPerGroup =
      groups == 0
      ? 0 : (isFirst ? 0 : 1) + max(1, min(targets, rows * keptUnits / 128) / groups)
    cost.seconds =
      pull / (RecurrentRates.steps * speed) + product / (RecurrentRates.products * speed)
      + cost.bytes / RecurrentRates.bytes
      + groups * stepsPerGroup * Double(network.layers.count)
      * (RecurrentRates.piece + RecurrentRates.call)
      + groups * bundles * productsPerGroup * RecurrentRates.call + RecurrentRates.call
    return cost
  }

  /// Lengths of blocks worth looking at.
  var blockLengths: [Int] {
    var lengths: [Int] = []
    var h = 2.0
    while Int(h) < shape.steps {
      if lengths.last != Int(h) { lengths.append(Int(h)) }
      h *= 1.25
    }
    return lengths
  }

  /// Steps that rows of `adjoint` go back at once: all, unless their numbers take too much memory.
  var adjointWindow: Int {
    let (all, overflow) = selection.count(of: shape.steps).multipliedReportingOverflow(
      by: outputs.count)
    let rows = min(JacobianLayout.usualGroupRows, overflow ? .max : all)
    let perStep =
      Double(rows) * keptUnits
      + Double(network.layers.reduce(network.inputs) { $0 + 2 * $1.outputs })
    return max(1, min(shape.steps, max(16, Int(Double(1 << 21) / perStep))))
  }
}

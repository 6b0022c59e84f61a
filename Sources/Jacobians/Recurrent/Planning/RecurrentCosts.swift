/// The constants of the recurrent cost model: seconds of one of each kind of work on one thread.
///
/// `NNJOBS_BENCHMARKS=1 swift run -c release strategybench calibrate | python3 Benchmarks/Strategies/calibrate.py`
/// measures all strategies over a grid of shapes and fits these numbers.
enum RecurrentRates {
  /// An operation of products with S: many columns for each row.
  static let product = 1.82e-11
  /// An operation of products that pull rows back, a step at a time, or contract them, a unit at a time.
  static let pull = 3.35e-11
  /// An operation of the forward pass.
  static let forward = 2.0e-10
  /// A byte of results, of S and of rows at all steps, written and read.
  static let byte = 9.5e-11
  /// A step of a group of rows, or a run of a row handed to the sink.
  static let piece = 3.1e-7
  /// A group of rows and a tile of columns that are contracted in a window.
  static let contraction = 9.1e-7
  /// Operations a second of OpenBLAS' products on one thread of the machine that all this was measured on.
  static let library = 2.7e10
}

extension RecurrentPlan {
  /// Operations a second of products on the machine whose seconds `Candidate.seconds` are.
  package static var productRate: Double { RecurrentRates.library }
}

/// What one way to ∂z(n)/∂w takes, in kinds of work.
package struct RecurrentCost: Sendable {
  /// Operations of products with S, the rows' and its own.
  package var product = 0.0
  /// Operations of pulling rows back and of contracting them with the layers' inputs.
  package var pull = 0.0
  /// Operations of the forward pass.
  package var forward = 0.0
  /// Bytes that go through more than the nearest cache.
  package var bytes = 0.0
  /// Steps of groups, runs of rows.
  package var pieces = 0.0
  /// Groups of rows, times tiles of columns, times windows.
  package var contractions = 0.0
  /// How many times as fast as float64 the number type is: a vector register holds more of them.
  var speed = 1.0

  /// Floating-point operations.
  package var operations: Double { product + pull + forward }

  /// What all that takes on one thread.
  package var seconds: Double {
    (product * RecurrentRates.product + pull * RecurrentRates.pull
      + forward * RecurrentRates.forward) / speed
      + bytes * RecurrentRates.byte + pieces * RecurrentRates.piece
      + contractions * RecurrentRates.contraction
  }

  mutating func add(_ other: RecurrentCost, times count: Double) {
    product += other.product * count
    pull += other.pull * count
    forward += other.forward * count
    bytes += other.bytes * count
    pieces += other.pieces * count
    contractions += other.contractions * count
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
  private let runs: Double
  private let tileCount: Double
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
    runs = Double(ColumnTile.bundle(tiles).count + 1)
    tileCount = Double(tiles.count)
    forwardPerStep = TrajectoryLayout.operationsPerStep(network)
  }

  /// The cost of all sequences with windows of h steps over which S is carried, or with none carried.
  func cost(window: Int, carries: Bool) -> RecurrentCost {
    var total = RecurrentCost()
    total.speed = 8 / Double(dtype.byteCount)
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

  /// The cost of one sequence of that length.
  func cost(length: Int, window: Int, carries: Bool) -> RecurrentCost {
    let end = selection.end(length: length)
    var total = RecurrentCost()
    total.forward = forwardPerStep * Double(end)
    total.pieces = Double(end * network.layers.count)
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
    let units = Double(recurrence.units)
    let q = Double(outputs.count)
    let targetRows = targets * q
    let carriedRows = isLast ? 0 : units
    let pulled = depth * q + carriedRows * steps
    let rows = targetRows + carriedRows
    let most = Double(JacobianLayout.usualGroupRows)
    let targetGroups = (targetRows / most).rounded(.up)
    let carriedGroups = (carriedRows / most).rounded(.up)

    var cost = RecurrentCost()
    cost.pull = pulled * (pullPerRow + 2 * carriedColumns)
    cost.product = isFirst ? 0 : rows * 2 * units * carriedColumns
    // S is read for every group and written; rows are written and copied; G is written and read.
    cost.bytes =
      size
      * ((isFirst ? 0 : (targetGroups + carriedGroups) * units * carriedColumns)
        + carriedRows * carriedColumns + 2 * targetRows * writtenColumns + 2 * pulled * keptUnits)
    // Steps of groups: a group goes on to its last row's step.
    let groupSteps =
      (targets == 0 ? 0 : depth / targets * targetGroups + (q < most ? most / q / 2 : 0))
      + carriedGroups * steps
    let layers = Double(network.layers.count)
    cost.pieces = groupSteps * layers + targetRows * runs
    cost.contractions = (targetGroups + carriedGroups) * tileCount
    return cost
  }

  /// Lengths of blocks worth looking at.
  var blockLengths: [Int] {
    var lengths: [Int] = []
    var h = 2.0
    while Int(h) < shape.steps {
      if lengths.last != Int(h) { lengths.append(Int(h)) }
      h *= 1.2
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

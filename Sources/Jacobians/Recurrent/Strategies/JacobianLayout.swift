/// Where the rows of a tile are: their columns of W and of b.
struct TileRegions: Sendable {
  let weights: Region
  let biases: Region
}

/// What a pass over one sequence for ∂z(n)/∂w does and where it keeps its numbers; made from shapes only.
///
/// Time is cut into windows of `window` steps. Rows are pulled back within a window and contracted there:
/// ∂z_o(n)/∂w = Σ_{m in window} G(n, m) ⊗ a(m) + Λ(n, edge) S(edge).
///
/// If `carries`, windows follow one another forwards and S = ∂r/∂w is carried over their edges. If not, all rows
/// are pulled back to the first step, window by window from the last; then nothing is carried.
struct JacobianLayout: Sendable {
  let network: NetworkShape
  let recurrence: Recurrence
  let outputs: OutputSubset
  let selection: StepSelection
  let tiles: [ColumnTile]
  /// Tiles that one thread contracts and writes together.
  let bundles: [Range<Int>]
  let isReduced: Bool
  let carries: Bool
  /// h.
  let window: Int
  /// The most rows in a group.
  let groupRows: Int
  /// The most rows that a group of this job has.
  let largestGroup: Int
  /// How many groups are pulled back before they are contracted.
  let groupsAtOnce: Int
  let trajectory: TrajectoryLayout
  /// W_k in strips.
  let strips: [Region]
  /// Regions of each group of a round.
  let groups: [GroupRegions]
  /// S before and after a window, for each tile its columns of W and of b; empty unless `carries`.
  let carried: [[TileRegions]]
  /// Sums over windows for each group of a round and each tile; empty unless rows go through several windows.
  let sums: [[TileRegions]]
  /// Numbers of the workspace.
  let count: Int
  /// In a thread's own memory: what goes to the sink, rows of each tile.
  let stream: Region
  let places: [TileRegions]
  /// Where the rows of a tile are if no other tile's are kept beside them.
  let alone: [TileRegions]
  /// Λ in panels.
  let statePanels: Region
  let slotCount: Int
  let hasOverflowed: Bool

  /// What a pass that carries S needs to go on where `edge` of `carried` holds it.
  func state(edge: Int) -> [Region] {
    [trajectory.state] + carried[edge].flatMap { [$0.weights, $0.biases] }
  }

  /// Rows of a group; enough for efficient products, few enough for the cache.
  static let usualGroupRows = 64
  /// Where windows are long a group has fewer rows, though not fewer than these.
  static let fewestGroupRows = 16
  /// Groups of a round, for threads to share.
  static let fewestGroupsAtOnce = 4
  /// Numbers of G that all groups of a round may take, unless the fewest take more.
  static let mostFieldNumbers = 5 << 18

  init(
    network: NetworkShape, recurrence: Recurrence, shape: SequenceShape, outputs: OutputSubset,
    selection: StepSelection, parameters: [Parameter], window: Int, carries: Bool,
    groupRows most: Int = JacobianLayout.usualGroupRows, mostNumbers: Int? = nil
  ) {
    self.network = network
    self.recurrence = recurrence
    self.outputs = outputs
    self.selection = selection
    self.carries = carries
    self.window = window
    let units = recurrence.units
    isReduced = network.layers[network.layers.count - 1].activation.isElementwise
    let reduced = isReduced
    tiles = ColumnTile.cut(network, recurrence, parameters: parameters, isReduced: reduced)
    bundles = ColumnTile.bundle(tiles)
    let read = Set(tiles.filter { !$0.isDirect && $0.inputs > 0 }.map(\.layer))
    let summed = Set(tiles.filter { !$0.isDirect && $0.hasBiases }.map(\.layer))
    let fieldColumns = read.reduce(0) {
      $0 + RowSweep<Double>.kept($1, of: network, recurrence, isReduced: reduced).count
    }
    let perRow = max(1, CheckedSize(product: [window, fieldColumns]).value ?? .max / 256)
    let fewestGroups = JacobianLayout.fewestGroupsAtOnce
    groupRows = min(
      most,
      max(
        JacobianLayout.fewestGroupRows,
        JacobianLayout.mostFieldNumbers / fewestGroups / perRow / Panels.rows * Panels.rows))
    let rows = groupRows
    var layout = ScratchLayout()
    let windows = carries ? 1 : (max(1, shape.steps) - 1) / window + 1
    let passed = carries ? min(shape.steps, window * max(1, 64 / window)) : window
    trajectory = TrajectoryLayout(
      network, recurrence, window: passed, windows: windows, isPulledBack: true, in: &layout)

    // How many groups a window, or the whole sequence, has at most.
    let stepRows = outputs.count
    let stepsPerWindow = min(
      selection.count(of: shape.steps), carries ? window : shape.steps)
    let groupsOfTargets =
      stepRows >= rows
      ? CheckedSize(product: [stepsPerWindow, (stepRows - 1) / rows + 1]).value ?? .max / 4
      : (max(1, stepsPerWindow) - 1) / (rows / max(1, stepRows)) + 1
    let groupsOfStates = carries && window < shape.steps ? (units - 1) / rows + 1 : 0
    let largestGroup =
      stepRows >= rows || groupsOfStates > 0
      ? rows : min(rows, stepRows * max(1, min(stepsPerWindow, rows / max(1, stepRows))))
    self.largestGroup = largestGroup
    let pulled = max(fewestGroups, JacobianLayout.mostFieldNumbers / perRow / rows)
    // Rows that stay in memory for a while: so many groups of them.
    let columns = parameters.reduce(0) { $0 + network.count(of: $1) }
    let kept = mostNumbers.map {
      max(1, $0 / max(1, CheckedSize(product: [largestGroup, columns]).value ?? .max))
    }
    groupsAtOnce = min(groupsOfTargets + groupsOfStates, pulled, kept ?? .max)
    let form: GroupRegions.Form =
      largestGroup <= StepProducts.singleRows && groupsOfStates == 0 ? .rows : .panels
    strips = PulledWeights.layOut(
      network, recurrence, rows: largestGroup, isReduced: reduced, in: &layout)
    groups = (0..<groupsAtOnce).map { _ in
      GroupRegions(
        network, recurrence, form: form, rows: largestGroup, window: window,
        read: form == .rows ? read.union(summed) : read, summed: form == .rows ? [] : summed,
        isReduced: reduced, in: &layout)
    }
    let cut = tiles
    func regions(
      _ tiles: some Sequence<ColumnTile>, _ rows: Int, direct: Bool, _ layout: inout ScratchLayout
    ) -> [TileRegions] {
      tiles.map { tile in
        let rows = tile.isDirect && !direct ? 0 : rows
        return TileRegions(
          weights: layout.add("columns", rows: rows, columns: tile.weightNumbers),
          biases: layout.add("biases", rows: rows, columns: tile.biasNumbers))
      }
    }
    carried =
      carries && window < shape.steps
      ? (0..<2).map { _ in regions(cut, units, direct: false, &layout) } : []
    sums =
      windows > 1
      ? (0..<groupsAtOnce).map { _ in regions(cut, largestGroup, direct: true, &layout) } : []
    count = layout.count

    var slot = ScratchLayout()
    stream = slot.add(
      "stream", rows: 1, columns: TileStream<Double>.byteCount / MemoryLayout<Double>.stride)
    let panels = Panels.count(largestGroup)
    statePanels = slot.add(
      "Λ in panels", rows: carried.isEmpty ? 0 : panels * Panels.rows, columns: units)
    // Bundles are contracted one after another, so all of them begin at the same place.
    let start = slot
    var largest = slot
    var places: [TileRegions] = []
    for bundle in bundles {
      var own = start
      places += regions(cut[bundle], largestGroup, direct: true, &own)
      if own.count > largest.count || own.hasOverflowed { largest = own }
    }
    alone = cut.map { tile in
      var own = start
      let regions = regions([tile], largestGroup, direct: true, &own)[0]
      if own.count > largest.count || own.hasOverflowed { largest = own }
      return regions
    }
    slot = largest
    self.places = places
    slotCount = slot.count
    hasOverflowed = layout.hasOverflowed || slot.hasOverflowed
  }
}

/// Columns of ∂/∂w that are contracted together: the parameters of some units of one layer.
///
/// Tiles follow from shapes only, so what a tile's numbers are does not depend on who computes it.
struct ColumnTile: Sendable {
  /// k, from 1.
  let layer: Int
  /// The units, counted in the layer.
  let units: Range<Int>
  /// n_{k−1} if W_k is asked for, else 0.
  let inputs: Int
  /// Whether b_k is asked for.
  let hasBiases: Bool
  /// Whether only y_o's own unit reaches these columns: with an elementwise last layer, those of the units not fed back.
  let isDirect: Bool

  /// Columns of W_k.
  var weightColumns: Int { units.count * inputs }
  /// Columns of b_k.
  var biasColumns: Int { hasBiases ? units.count : 0 }

  /// No more columns of W than this in a tile, unless `fewestUnits` have more: its rows stay in the second-level cache.
  static let mostColumns = 1_024
  /// Units of a tile: of so many G is read by whole lines of the cache.
  static let fewestUnits = 8
  /// No more columns than this are written together, unless one tile has more.
  static let mostWritten = 3_072

  /// Numbers of one row in memory: a direct tile keeps those of the row's own unit alone.
  var weightNumbers: Int { isDirect ? inputs : weightColumns }
  /// The same for b_k.
  var biasNumbers: Int { isDirect ? (hasBiases ? 1 : 0) : biasColumns }

  /// Cuts the columns of `parameters` into tiles, in the order of columns.
  static func cut(
    _ network: NetworkShape, _ recurrence: Recurrence, parameters: [Parameter], isReduced: Bool
  ) -> [ColumnTile] {
    var tiles: [ColumnTile] = []
    for k in 1...network.layers.count {
      let hasWeights = parameters.contains(Parameter(kind: .weights, layer: k))
      let hasBiases = parameters.contains(Parameter(kind: .biases, layer: k))
      guard hasWeights || hasBiases else { continue }
      let inputs = hasWeights ? network.width(k - 1) : 0
      let kept = RowSweep<Double>.kept(k, of: network, recurrence, isReduced: isReduced)
      let direct = 0..<kept.lowerBound
      let most = max(fewestUnits, mostColumns / max(1, inputs))
      let pieces = (kept.count - 1) / most + 1
      // Tiles of about equal size, so that threads end together.
      let size = (kept.count + pieces - 1) / pieces
      let units = (size + fewestUnits - 1) / fewestUnits * fewestUnits
      let isWhole = units >= kept.count
      if !direct.isEmpty {
        tiles.append(
          ColumnTile(
            layer: k, units: direct, inputs: inputs, hasBiases: hasBiases && isWhole,
            isDirect: true))
      }
      for first in stride(from: kept.lowerBound, to: kept.upperBound, by: units) {
        tiles.append(
          ColumnTile(
            layer: k, units: first..<min(first + units, kept.upperBound), inputs: inputs,
            hasBiases: hasBiases && isWhole, isDirect: false))
      }
      // Of a layer in several tiles the biases are tiles of their own, whose rows are then written at once.
      if hasBiases && !isWhole {
        if !direct.isEmpty {
          tiles.append(
            ColumnTile(layer: k, units: direct, inputs: 0, hasBiases: true, isDirect: true))
        }
        tiles.append(
          ColumnTile(layer: k, units: kept, inputs: 0, hasBiases: true, isDirect: false))
      }
    }
    return tiles
  }

  /// Joins tiles that follow one another until together they have as many columns as are written together.
  static func bundle(_ tiles: [ColumnTile]) -> [Range<Int>] {
    var bundles: [Range<Int>] = []
    var columns = 0
    for (t, tile) in tiles.enumerated() {
      let more = tile.weightNumbers + tile.biasNumbers
      if let last = bundles.last, columns + more <= mostWritten {
        bundles[bundles.count - 1] = last.lowerBound..<t + 1
        columns += more
      } else {
        bundles.append(t..<t + 1)
        columns = more
      }
    }
    return bundles
  }
}

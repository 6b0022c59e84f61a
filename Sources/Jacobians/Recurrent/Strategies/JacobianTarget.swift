/// The arrays that rows of ∂z(n)/∂w go to: which columns of a tile stand where in which array.
struct JacobianTarget: Sendable {
  /// Columns that follow one another in a row of an array.
  private struct Run: Sendable {
    let tile: Int
    let kind: Parameter.Kind
    let columns: Range<Int>
  }

  /// What a bundle knows of the rows of one array.
  private struct Share: Sendable {
    let array: Int
    let rowLength: Int
    /// In the order of columns.
    let runs: [Run]
    let isWholeRow: Bool
  }

  /// Numbers of a run that are written without going through the tile.
  private static let longRun = 4096

  private let tiles: [ColumnTile]
  private let shares: [[Share]]
  /// The runs of each tile, with the share they belong to.
  private let runsOfTiles: [[(share: Share, run: Run)]]
  private let rowLengths: [Int]
  private let rowsPerSequence: Int
  private let stream: Region

  init(_ layout: JacobianLayout, parameters: [Parameter], isMatrix: Bool, shape: SequenceShape) {
    tiles = layout.tiles
    stream = layout.stream
    rowsPerSequence = layout.selection.count(of: shape.steps) * layout.outputs.count
    let network = layout.network
    var starts: [Parameter: (array: Int, column: Int)] = [:]
    var lengths: [Int] = []
    var column = 0
    for (array, parameter) in parameters.enumerated() {
      starts[parameter] = isMatrix ? (0, column) : (array, 0)
      column += network.count(of: parameter)
      if !isMatrix { lengths.append(network.count(of: parameter)) }
    }
    rowLengths = isMatrix ? [column] : lengths
    let rowLengths = rowLengths
    let shares = layout.bundles.map { bundle in
      var runs: [Int: [Run]] = [:]
      for t in bundle {
        let tile = layout.tiles[t]
        if tile.inputs > 0, let start = starts[Parameter(kind: .weights, layer: tile.layer)] {
          let first = start.column + tile.units.lowerBound * tile.inputs
          runs[start.array, default: []].append(
            Run(tile: t, kind: .weights, columns: first..<first + tile.weightColumns))
        }
        if tile.hasBiases, let start = starts[Parameter(kind: .biases, layer: tile.layer)] {
          let first = start.column + tile.units.lowerBound
          runs[start.array, default: []].append(
            Run(tile: t, kind: .biases, columns: first..<first + tile.biasColumns))
        }
      }
      return runs.sorted { $0.key < $1.key }.map { array, runs in
        let sorted = runs.sorted { $0.columns.lowerBound < $1.columns.lowerBound }
        return Share(
          array: array, rowLength: rowLengths[array], runs: sorted,
          isWholeRow: sorted.reduce(0) { $0 + $1.columns.count } == rowLengths[array])
      }
    }
    self.shares = shares
    runsOfTiles = layout.tiles.indices.map { t in
      shares.flatMap { shares in
        shares.flatMap { share in share.runs.filter { $0.tile == t }.map { (share, $0) } }
      }
    }
  }

  /// How many arrays there are.
  var arrayCount: Int { rowLengths.count }

  /// Writes the rows of a group, all columns of one bundle.
  func write<T: Scalar>(
    _ group: RowGroup, bundle: Int, of sequence: Int, from home: Workspace<T>,
    regions: (Int) -> TileRegions, writer: ResultWriter, slot: Workspace<T>
  ) throws {
    let firstRow = sequence * rowsPerSequence + group.firstRow
    for share in shares[bundle] {
      if share.isWholeRow {
        if share.runs.count == 1, !tiles[share.runs[0].tile].isDirect {
          let run = share.runs[0]
          let region = regions(run.tile)
          let numbers = home.numbers(run.kind == .weights ? region.weights : region.biases)
          try writer.write(
            numbers.extracting(0..<group.rowCount * share.rowLength), array: share.array,
            at: firstRow * share.rowLength)
          continue
        }
        var stream = TileStream(
          slot.mutable(stream), writer: writer, array: share.array, at: firstRow * share.rowLength)
        for segment in group.segments {
          for row in segment.rows {
            let output = group.outputs[segment.firstOutput + row - segment.rows.lowerBound]
            for run in share.runs {
              try append(run, row: row, output: output, from: home, regions(run.tile), to: &stream)
            }
          }
        }
        try stream.finish()
        continue
      }
      for segment in group.segments {
        for row in segment.rows {
          let output = group.outputs[segment.firstOutput + row - segment.rows.lowerBound]
          var r = 0
          while r < share.runs.count {
            var stream = TileStream(
              slot.mutable(stream), writer: writer, array: share.array,
              at: (firstRow + row) * share.rowLength + share.runs[r].columns.lowerBound)
            repeat {
              let run = share.runs[r]
              try append(run, row: row, output: output, from: home, regions(run.tile), to: &stream)
              r += 1
            } while r < share.runs.count
              && share.runs[r].columns.lowerBound == share.runs[r - 1].columns.upperBound
            try stream.finish()
          }
        }
      }
    }
  }

  /// Lends the memory of a group's rows, from the first column of W of one tile on, to who stores them; `stride` is how far rows are apart.
  func lend<T: Scalar>(
    _ group: RowGroup, tile t: Int, of sequence: Int, writer: ResultWriter,
    _ body: (_ room: inout MutableSpan<T>, _ stride: Int) -> Void
  ) {
    let firstRow = sequence * rowsPerSequence + group.firstRow
    for (share, run) in runsOfTiles[t] where run.kind == .weights {
      let first = firstRow * share.rowLength + run.columns.lowerBound
      let count = (group.rowCount - 1) * share.rowLength + run.columns.count
      let isLent = writer.lend(array: share.array, at: first, count: count) {
        body(&$0, share.rowLength)
      }
      precondition(isLent, "a sink that lends memory lends all of it")
    }
  }

  /// Stores the rows of a group, all columns of one tile or those of b alone, where results stand in memory.
  func store<T: Scalar>(
    _ group: RowGroup, tile t: Int, of sequence: Int, hasWeights: Bool, from home: Workspace<T>,
    _ regions: TileRegions, writer: ResultWriter, slot: Workspace<T>
  ) throws {
    let firstRow = sequence * rowsPerSequence + group.firstRow
    for (share, run) in runsOfTiles[t] where hasWeights || run.kind == .biases {
      let numbers = home.numbers(run.kind == .weights ? regions.weights : regions.biases)
      let width = run.columns.count
      for segment in group.segments {
        for row in segment.rows {
          let position = (firstRow + row) * share.rowLength + run.columns.lowerBound
          guard tiles[t].isDirect else {
            try writer.store(
              numbers.extracting(row * width..<(row + 1) * width), array: share.array, at: position)
            continue
          }
          let output = group.outputs[segment.firstOutput + row - segment.rows.lowerBound]
          var stream = TileStream(
            slot.mutable(stream), writer: writer, array: share.array, at: position)
          try append(run, row: row, output: output, from: home, regions, to: &stream)
          try stream.finish()
        }
      }
    }
    Panels.usual.fence()
  }

  @_lifetime(stream: copy stream)
  private func append<T: Scalar>(
    _ run: Run, row: Int, output: Int, from home: Workspace<T>, _ region: TileRegions,
    to stream: inout TileStream<T>
  ) throws {
    let tile = tiles[run.tile]
    let numbers = home.numbers(run.kind == .weights ? region.weights : region.biases)
    guard tile.isDirect else {
      let width = run.columns.count
      let row = numbers.extracting(row * width..<(row + 1) * width)
      // A long run costs less as a write of its own than as a copy.
      if width >= JacobianTarget.longRun {
        try stream.pass(row)
        return
      }
      try stream.append(rows: 1, width: width) { _, columns, piece in
        copy(row.extracting(columns), to: &piece)
      }
      return
    }
    // Of a direct tile only the row's own unit differs from zero.
    let width = run.kind == .weights ? tile.inputs : 1
    let own = numbers.extracting(row * width..<(row + 1) * width)
    let first = tile.units.lowerBound
    try stream.append(rows: tile.units.count, width: width) { units, columns, piece in
      for i in piece.indices { piece[i] = 0 }
      guard units.contains(output - first) else { return }
      let start = (output - first - units.lowerBound) * columns.count
      var place = piece._mutatingExtracting(start..<start + columns.count)
      copy(own.extracting(columns), to: &place)
    }
  }

  /// Writes zeros to the rows of steps that a sequence does not have.
  func writeRest<T: Scalar>(
    of sequence: Int, from axisRow: Int, writer: ResultWriter, slot: Workspace<T>, outputs: Int
  ) throws {
    let done = axisRow * outputs
    guard done < rowsPerSequence else { return }
    for (array, length) in rowLengths.enumerated() {
      try writeZeros(
        rows: rowsPerSequence - done, width: length, array: array,
        at: (sequence * rowsPerSequence + done) * length, writer: writer, through: slot, stream)
    }
  }
}

/// Writes rows of zeros.
func writeZeros<T: Scalar>(
  rows: Int, width: Int, array: Int, at position: Int, writer: ResultWriter,
  through slot: Workspace<T>, _ region: Region
) throws {
  guard rows > 0, width > 0 else { return }
  var stream = TileStream(slot.mutable(region), writer: writer, array: array, at: position)
  for _ in 0..<rows {
    try stream.append(rows: 1, width: width) { _, _, piece in
      for i in piece.indices { piece[i] = 0 }
    }
  }
  try stream.finish()
}

/// Computes tiles of Θ from two groups' factors and writes them to their places, and to those across the diagonal.
struct KernelTile<T: Scalar>: Sendable {
  let plan: KernelPlan
  /// The factors of the rows' samples, and of the columns'.
  let left: Workspace<T>
  let right: Workspace<T>
  /// The samples with which they begin.
  let firstRow: Int
  let firstColumn: Int
  /// B and B′.
  let batch: Int
  let otherBatch: Int
  let writer: ResultWriter
  let blas: BLAS

  private var layout: KernelLayout { plan.layout }
  private var network: NetworkShape { plan.gradient.network }
  private var isFull: Bool { plan.gradient.form == .full }
  /// Stacked rows of a sample in one tile.
  private var depth: Int { layout.rowsPerSample }

  /// Computes Θ between two ranges of samples; on the diagonal of a symmetric Θ above it only, and mirrors it.
  func compute(
    _ rows: Range<Int>, _ columns: Range<Int>, in workspace: Workspace<T>
  ) throws {
    let isDiagonal = layout.isSymmetric && rows == columns
    let isMirrored = layout.isSymmetric && !isDiagonal
    for output in 0..<layout.outputs / depth {
      let own = place(layout.tile, rows, columns, width: otherBatch, output: output, workspace)
      let mirrored =
        isMirrored
        ? place(layout.transpose, columns, rows, width: batch, output: output, workspace) : nil
      let tile = Tile(
        rows: rows, columns: columns, output: output, isDiagonal: isDiagonal, place: own.place,
        mirrored: mirrored?.place)
      let height = rows.count * depth
      for start in stride(from: 0, to: height, by: layout.stripRows) {
        computeStrip(start..<min(start + layout.stripRows, height), of: tile, in: workspace)
      }
      own.place.finish()
      if !own.isResult {
        try write(layout.tile, rows, columns, width: otherBatch, output: output, from: workspace)
      }
      if let mirrored {
        mirrored.place.finish()
        if !mirrored.isResult {
          try write(
            layout.transpose, columns, rows, width: batch, output: output, from: workspace)
        }
      }
    }
  }

  /// Writes across the diagonal what an earlier computation has kept of a tile above it.
  func mirrorKept(
    _ rows: Range<Int>, _ columns: Range<Int>, of results: any EarlierResults,
    in workspace: Workspace<T>
  ) throws {
    let size = MemoryLayout<T>.stride
    let height = rows.count * depth
    let side = columns.count * depth
    for output in 0..<layout.outputs / depth {
      let first = start(rows, columns, width: batch, output: output)
      for row in 0..<height {
        let bytes = try results.read(
          array: writer.firstArray, at: (first + row * batch * depth) * size,
          byteCount: side * size)
        precondition(bytes.count == side * size, "what was kept is whole")
        var place = workspace.mutable(layout.tile.part(row * side..<(row + 1) * side))
        // T is trivial, and any bytes are one.
        unsafe place.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
      }
      do {
        var turned = workspace.mutable(layout.transpose)
        transpose(
          workspace.numbers(layout.tile.part(0..<height * side)), rows: height, columns: side,
          into: &turned, at: 0, stride: height)
      }
      try write(
        layout.transpose, columns, rows, width: batch, output: output, from: workspace)
    }
  }

  /// A tile, and where its numbers go.
  private struct Tile {
    let rows: Range<Int>
    let columns: Range<Int>
    let output: Int
    /// Whether it lies on the diagonal of a symmetric Θ.
    let isDiagonal: Bool
    let place: BlockPlace<T>
    let mirrored: BlockPlace<T>?
  }

  /// Where a tile is stored: in the result itself, past the caches, if that is in memory, or in the workspace.
  private func place(
    _ region: Region, _ rows: Range<Int>, _ columns: Range<Int>, width: Int, output: Int,
    _ workspace: Workspace<T>
  ) -> (place: BlockPlace<T>, isResult: Bool) {
    let (height, side) = (rows.count * depth, columns.count * depth)
    let position = start(rows, columns, width: width, output: output)
    let size = MemoryLayout<T>.stride
    if let room = unsafe writer.sink.room(
      array: writer.firstArray, at: position * size,
      byteCount: ((height - 1) * width * depth + side) * size)
    {
      // A sink's room lives as long as the sink; its parts are other tiles'.
      let place = unsafe BlockPlace<T>(
        room, rows: height, columns: side, stride: width * depth, isPast: true)
      return (place, true)
    }
    var tile = workspace.mutable(region.part(0..<height * side))
    // The workspace outlives the tile, and this thread alone has it.
    let place = unsafe tile.withUnsafeMutableBufferPointer {
      unsafe BlockPlace<T>(
        UnsafeMutableRawBufferPointer($0), rows: height, columns: side, stride: side, isPast: false)
    }
    return (place, false)
  }

  /// Some rows of a tile, all terms.
  private func computeStrip(_ strip: Range<Int>, of tile: Tile, in workspace: Workspace<T>) {
    let instructions = GramInstructions.best
    let (width, height) = (GramBlock<T>.width, GramBlock<T>.rows)
    let columns = GramColumns(
      count: tile.columns.count * depth, outputs: depth, stride: layout.stripRows)
    let row = (tile.rows.lowerBound - firstRow) / layout.tileSamples
    let column = (tile.columns.lowerBound - firstColumn) / layout.tileSamples
    let lastPanel = GramBlock<T>.panels(tile.rows.count * depth) - 1
    for (number, step) in layout.steps.enumerated() {
      let term = step.term
      let isLast = number == layout.steps.count - 1
      if step.range.lowerBound == 0 { fillFactors(term, strip, of: tile, in: workspace) }
      if term.isDiagonal { fillSlopes(term, strip, of: tile, in: workspace) }
      let factors = workspace.numbers(layout.factors)
      let part = step.range.lowerBound * width..<step.range.upperBound * width
      for panel in 0..<GramBlock<T>.panels(columns.count) {
        for (index, start) in stride(from: strip.lowerBound, to: strip.upperBound, by: height)
          .enumerated()
        {
          // All of it lies below the diagonal.
          if tile.isDiagonal && (panel + 1) * width <= start { continue }
          let place = (index * layout.tilePanels + panel) * GramBlock<T>.count
          var block = workspace.mutable(
            layout.blocks.part(place..<place + GramBlock<T>.count))
          let own = factors.extracting((start - strip.lowerBound)...)
          if term.isDiagonal {
            let first = (tile.columns.lowerBound - firstColumn) * layout.outputs
            instructions.start(
              workspace.numbers(layout.slopes).extracting((start - strip.lowerBound)...),
              slopes: right.numbers(term.deltas).extracting((first + tile.output)...),
              apart: isFull ? 1 : layout.outputs, factors: own, of: columns,
              column: panel * width, into: &block)
          } else {
            func region(_ number: Int) -> Region {
              layout.panel(
                min(number, lastPanel), ofTile: row, output: tile.output, of: term,
                panelRows: width)
            }
            let first = start / width
            let other = layout.panel(
              panel, ofTile: column, output: tile.output, of: term, panelRows: width)
            instructions.add(
              left.numbers(left.all),
              at: (
                region(first).offset + part.lowerBound, region(first + 1).offset + part.lowerBound,
                region(first + 2).offset + part.lowerBound
              ), times: right.numbers(other.part(part)), depth: step.range.count, factors: own,
              of: columns, column: panel * width, adding: number > 0, into: &block)
          }
          if isLast {
            store(
              block.span, rows: min(height, strip.upperBound - start),
              columns: min(width, columns.count - panel * width), row: start,
              column: panel * width, of: tile)
          }
        }
      }
    }
  }

  /// Stores a block's first rows and columns at their place in the tile, and across Θ's diagonal.
  private func store(
    _ block: Span<T>, rows: Int, columns: Int, row: Int, column: Int, of tile: Tile
  ) {
    guard tile.isDiagonal, row + rows > column else {
      tile.place.store(block, rows: rows, columns: columns, row: row, column: column)
      let across = tile.isDiagonal ? tile.place : tile.mirrored
      across?.storeTurned(block, rows: rows, columns: columns, row: column, column: row)
      return
    }
    // The diagonal goes through it: what is below is what is above.
    for j in 0..<columns {
      for i in 0..<rows where row + i <= column + j {
        let number = block[j * GramBlock<T>.rows + i]
        tile.place.store(number, row: row + i, column: column + j)
        tile.place.store(number, row: column + j, column: row + i)
      }
    }
  }

  /// a · a′ + 1 of the tile's columns, one row for each of their samples, along the strip's rows.
  private func fillFactors(
    _ term: KernelLayout.Term, _ strip: Range<Int>, of tile: Tile, in workspace: Workspace<T>
  ) {
    let first = strip.lowerBound / depth
    let count = (strip.upperBound - 1) / depth + 1 - first
    let samples = tile.columns.count
    if term.hasWeights {
      let inputs = network.width(term.layer - 1)
      var inner = workspace.mutable(layout.inner)
      blas.multiply(
        Matrix(
          right.numbers(term.inputs), at: (tile.columns.lowerBound - firstColumn) * inputs,
          rows: samples, columns: inputs),
        Matrix(
          left.numbers(term.inputs), at: (tile.rows.lowerBound - firstRow + first) * inputs,
          rows: count, columns: inputs
        ).transposed, into: &inner)
    }
    let inner = workspace.numbers(layout.inner)
    let one: T = term.hasBiases ? 1 : 0
    for sample in 0..<samples {
      let start = sample * layout.stripRows
      var row = workspace.mutable(layout.factors.part(start..<start + strip.count))
      var next = 0
      for s in 0..<count {
        let factor = (term.hasWeights ? inner[sample * count + s] : 0) + one
        let end = min((first + s + 1) * depth, strip.upperBound) - strip.lowerBound
        while next < end {
          row[next] = factor
          next += 1
        }
      }
    }
  }

  /// φ′_o of the strip's rows, a row for each output o that is zero at the rows of the others.
  private func fillSlopes(
    _ term: KernelLayout.Term, _ strip: Range<Int>, of tile: Tile, in workspace: Workspace<T>
  ) {
    let m = layout.outputs
    let slopes = left.numbers(term.deltas)
    let sample = tile.rows.lowerBound - firstRow
    for o in 0..<depth {
      let start = o * layout.stripRows
      var row = workspace.mutable(layout.slopes.part(start..<start + strip.count))
      for i in row.indices {
        let (s, own) = (strip.lowerBound + i).quotientAndRemainder(dividingBy: depth)
        row[i] = own == o ? slopes[(sample + s) * m + (isFull ? o : tile.output)] : 0
      }
    }
  }

  /// The place of a tile's first number in its array, the rows of which have `width` samples.
  private func start(
    _ rows: Range<Int>, _ columns: Range<Int>, width: Int, output: Int
  ) -> Int {
    let height = layout.isSymmetric ? otherBatch : batch
    let firstRow = (output * height + rows.lowerBound) * depth
    return (firstRow * width + columns.lowerBound) * depth
  }

  /// Writes a tile, row by row, to its place in an array whose rows have `width` samples.
  private func write(
    _ region: Region, _ rows: Range<Int>, _ columns: Range<Int>, width: Int, output: Int,
    from workspace: Workspace<T>
  ) throws {
    let side = columns.count * depth
    let tile = workspace.numbers(region)
    let first = start(rows, columns, width: width, output: output)
    if columns.count == width {
      try writer.write(tile.extracting(0..<rows.count * depth * side), array: 0, at: first)
      return
    }
    for row in 0..<rows.count * depth {
      try writer.write(
        tile.extracting(row * side..<(row + 1) * side), array: 0, at: first + row * width * depth)
    }
  }
}

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
  private var depth: Int { isFull ? layout.outputs : 1 }

  /// Computes Θ between two ranges of samples; on the diagonal of a symmetric Θ above it only, and mirrors it.
  func compute(
    _ rows: Range<Int>, _ columns: Range<Int>, in workspace: Workspace<T>
  ) throws {
    let isDiagonal = layout.isSymmetric && rows == columns
    for output in 0..<(isFull ? 1 : layout.outputs) {
      for start in stride(from: 0, to: rows.count, by: layout.stripSamples) {
        let strip = start..<min(start + layout.stripSamples, rows.count)
        computeStrip(
          strip, rows, columns, from: isDiagonal ? start : 0, output: output, in: workspace)
        if layout.isSymmetric && !isDiagonal {
          turn(strip, of: rows.count * depth, columns.count * depth, in: workspace)
        }
      }
      if isDiagonal { mirror(rows.count * depth, in: workspace) }
      try write(
        layout.tile, rows, columns, width: otherBatch, output: output, from: workspace)
      if layout.isSymmetric && !isDiagonal {
        try write(
          layout.transpose, columns, rows, width: batch, output: output, from: workspace)
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
    for output in 0..<(isFull ? 1 : layout.outputs) {
      let firstRow = (output * batch + rows.lowerBound) * depth
      for row in 0..<height {
        let position = ((firstRow + row) * batch + columns.lowerBound) * depth
        let bytes = try results.read(
          array: writer.firstArray, at: position * size, byteCount: side * size)
        precondition(bytes.count == side * size, "what was kept is whole")
        var place = workspace.mutable(layout.tile.part(row * side..<(row + 1) * side))
        // T is trivial, and any bytes are one.
        unsafe place.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
      }
      turn(0..<rows.count, of: height, side, in: workspace)
      try write(
        layout.transpose, columns, rows, width: batch, output: output, from: workspace)
    }
  }

  /// Some samples' rows of a tile, from sample `from` of the columns on.
  private func computeStrip(
    _ strip: Range<Int>, _ rows: Range<Int>, _ columns: Range<Int>, from: Int, output: Int,
    in workspace: Workspace<T>
  ) {
    let side = columns.count * depth
    let width = (columns.count - from) * depth
    let height = strip.count * depth
    let row = rows.lowerBound - firstRow + strip.lowerBound
    let column = columns.lowerBound - firstColumn + from
    var isBegun = false
    // A diagonal term adds to what the others have written.
    for term in layout.terms.sorted(by: { !$0.isDiagonal && $1.isDiagonal }) {
      let hasInner = term.hasWeights
      if hasInner {
        let inputs = network.width(term.layer - 1)
        var inner = workspace.mutable(layout.inner)
        blas.multiply(
          Matrix(left.numbers(term.inputs), at: row * inputs, rows: strip.count, columns: inputs),
          Matrix(
            right.numbers(term.inputs), at: column * inputs, rows: columns.count - from,
            columns: inputs
          ).transposed, into: &inner)
      }
      if term.isDiagonal {
        addDiagonal(
          term, strip, row: row, column: column, columns: columns.count - from, from: from,
          side: side, output: output, isBegun: isBegun, in: workspace)
        isBegun = true
        continue
      }
      let n = network.width(term.layer)
      let stride = isFull ? n : layout.outputs * n
      let offset = isFull ? 0 : output * n
      do {
        var product = workspace.mutable(layout.strip)
        blas.multiply(
          Matrix(
            left.numbers(term.deltas), at: row * layout.outputs * n + offset, rows: height,
            columns: n, stride: stride),
          Matrix(
            right.numbers(term.deltas), at: column * layout.outputs * n + offset, rows: width,
            columns: n, stride: stride
          ).transposed, into: &product)
      }
      let product = workspace.numbers(layout.strip)
      let inner = workspace.numbers(layout.inner)
      let one: T = term.hasBiases ? 1 : 0
      for sample in strip.indices {
        let s = sample - strip.lowerBound
        var factors = workspace.mutable(layout.factors.part(0..<width))
        for c in 0..<columns.count - from {
          let factor = (hasInner ? inner[s * (columns.count - from) + c] : 0) + one
          for o in c * depth..<(c + 1) * depth { factors[o] = factor }
        }
        for o in 0..<depth {
          let start = (sample * depth + o) * side + from * depth
          var place = workspace.mutable(layout.tile.part(start..<start + width))
          let line = product.extracting((s * depth + o) * width..<(s * depth + o + 1) * width)
          if isBegun {
            addProduct(line, factors.span, to: &place)
          } else {
            multiply(line, factors.span, into: &place)
          }
        }
      }
      isBegun = true
    }
  }

  /// φ′_o[b] φ′_o[b′] (a · a + 1) where o = o′: the last layer's own term, of elementwise activations.
  private func addDiagonal(
    _ term: KernelLayout.Term, _ strip: Range<Int>, row: Int, column: Int, columns: Int, from: Int,
    side: Int, output: Int, isBegun: Bool, in workspace: Workspace<T>
  ) {
    let m = layout.outputs
    let inner = workspace.numbers(layout.inner)
    let slopes = left.numbers(term.deltas)
    let others = right.numbers(term.deltas)
    let one: T = term.hasBiases ? 1 : 0
    for sample in strip.indices {
      let s = sample - strip.lowerBound
      for o in 0..<depth {
        let start = (sample * depth + o) * side + from * depth
        var place = workspace.mutable(layout.tile.part(start..<start + columns * depth))
        if !isBegun { for i in place.indices { place[i] = 0 } }
        let own = isFull ? o : output
        let slope = slopes[(row + s) * m + own]
        for c in 0..<columns {
          let factor = (term.hasWeights ? inner[s * columns + c] : 0) + one
          place[c * depth + (isFull ? o : 0)] += slope * others[(column + c) * m + own] * factor
        }
      }
    }
  }

  /// Copies what is above the diagonal of a square tile below it.
  private func mirror(_ side: Int, in workspace: Workspace<T>) {
    var tile = workspace.mutable(layout.tile)
    for top in stride(from: 0, to: side, by: 8) {
      for i in top..<min(top + 8, side) {
        for j in top..<i { tile[i * side + j] = tile[j * side + i] }
      }
      for j in 0..<top {
        for i in top..<min(top + 8, side) { tile[i * side + j] = tile[j * side + i] }
      }
    }
  }

  /// Leaves the transpose of a tile's strip beside it, while the strip is in cache.
  private func turn(
    _ strip: Range<Int>, of rows: Int, _ columns: Int, in workspace: Workspace<T>
  ) {
    let range = strip.lowerBound * depth..<strip.upperBound * depth
    let tile = workspace.numbers(
      layout.tile.part(range.lowerBound * columns..<range.upperBound * columns))
    var turned = workspace.mutable(layout.transpose)
    transpose(
      tile, rows: range.count, columns: columns, into: &turned, at: range.lowerBound, stride: rows)
  }

  /// Writes a tile, row by row, to its place in an array whose rows have `width` samples.
  private func write(
    _ region: Region, _ rows: Range<Int>, _ columns: Range<Int>, width: Int, output: Int,
    from workspace: Workspace<T>
  ) throws {
    let side = columns.count * depth
    let tile = workspace.numbers(region)
    let height = layout.isSymmetric ? otherBatch : batch
    let firstRow = (output * height + rows.lowerBound) * depth
    if columns.count == width {
      try writer.write(
        tile.extracting(0..<rows.count * depth * side), array: 0, at: firstRow * width * depth)
      return
    }
    for row in 0..<rows.count * depth {
      try writer.write(
        tile.extracting(row * side..<(row + 1) * side), array: 0,
        at: ((firstRow + row) * width + columns.lowerBound) * depth)
    }
  }
}

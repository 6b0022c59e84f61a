/// A kernel to be computed: what is asked, where its array is, how it is divided.
struct KernelPlan: Sendable {
  /// What is asked.
  let gradient: NeuralTangentKernel
  /// The place of its array among all of the job.
  let firstArray: Int
  /// How it is divided.
  let layout: KernelLayout

  init(
    gradient: NeuralTangentKernel, firstArray: Int, batch: Int, dtype: ScalarType,
    blockSamples: Int?
  ) {
    self.gradient = gradient
    self.firstArray = firstArray
    layout = KernelLayout(gradient, batch: batch, dtype: dtype, blockSamples: blockSamples)
  }
}

/// How a kernel is divided, from shapes alone: groups of samples whose factors are kept, and tiles of pairs.
///
/// The factors δ_k and a_{k−1} of two groups are in memory at a time, Σ_k (m n_k + n_{k−1}) numbers a sample. All
/// pairs of groups have their turn; where there is more than one group, those of the second are computed again for
/// each first one, which is little beside the pairs. A tile is some samples by some samples, computed by one thread.
/// Its rows are stacked (sample, output), or those of one output after another where only these pairs are asked for.
struct KernelLayout: Sendable {
  /// What a layer with parameters asked for adds to Θ.
  struct Term: Sendable {
    /// k.
    let layer: Int
    /// Whether W_k is asked for: the factor a_{k−1} · a_{k−1}.
    let hasWeights: Bool
    /// Whether b_k is: the factor 1.
    let hasBiases: Bool
    /// Whether δ_k is diag φ′_L, of which the diagonal alone is kept.
    let isDiagonal: Bool
    /// δ_k of a group, tile after tile in panels (`KernelLayout.panel`); of a diagonal one φ′_L, (group, m).
    let deltas: Region
    /// a_{k−1} of a group, (group, n_{k−1}); nothing without W_k.
    let inputs: Region
  }

  /// A part of a term's sum: numbers `range` of each row of δ_k; nothing of a diagonal one.
  struct Step: Sendable {
    let term: Term
    let range: Range<Int>
  }

  /// Bytes of a group's factors, unless one tile's samples have more.
  static let groupBytes = 64 << 20
  /// The most stacked rows of a tile: long enough to be written row by row.
  static let tileRows = 512
  /// Blocks of rows of a strip, whose rows stay in the cache while all columns of a tile pass.
  static let stripBlocks = 5
  /// Numbers of each row multiplied at once: a panel of as many stays in the nearest cache.
  static let depth = 256

  /// Stages 1 and 2 of a block of samples.
  let stages: Stages
  /// Numbers of a thread's scratch for the stages.
  let scratchCount: Int
  let terms: [Term]
  /// Numbers of one group's factors.
  let groupCount: Int
  /// The most samples of a group.
  let groupSamples: Int
  /// The most samples of a tile.
  let tileSamples: Int
  /// Stacked rows of a sample in one tile: m, or one where each output has tiles of its own.
  let rowsPerSample: Int
  /// The most rows of a strip of a tile: whole blocks.
  let stripRows: Int
  /// Panels of a tile's rows.
  let tilePanels: Int
  /// What is added up to a tile, in order.
  let steps: [Step]
  /// Each group's samples, of the rows' set and of the columns'.
  let rowGroups: [Range<Int>]
  let columnGroups: [Range<Int>]
  /// Whether both sets are the same, so that Θ is symmetric and half of it is computed.
  let isSymmetric: Bool
  /// m of the outputs asked for.
  let outputs: Int
  /// A thread's tile of Θ and its transpose, for results that are handed over.
  let tile: Region
  let transpose: Region
  /// A strip's blocks, the activities' products, these for each sample and stacked row, a diagonal δ's rows.
  let blocks: Region
  let inner: Region
  let factors: Region
  let slopes: Region
  let workspaceCount: Int
  /// Peak bytes of one thread.
  let bytesPerThread: Int
  let hasOverflowed: Bool
  /// Estimated operations of all.
  let operations: Double

  /// `blockSamples` forces the size of blocks and tiles, and groups of two tiles.
  init(_ kernel: NeuralTangentKernel, batch: Int, dtype: ScalarType, blockSamples: Int?) {
    let network = kernel.network
    let m = kernel.outputs.count
    let last = network.layers.count
    outputs = m
    isSymmetric = kernel.others == nil
    let layers = Set(kernel.parameters.map(\.layer)).sorted()
    let isElementwise = network.layers[last - 1].activation.isElementwise
    let dense = layers.filter { !($0 == last && isElementwise) }
    var needs = Needs()
    needs.activations = Set(
      kernel.parameters.filter { $0.kind == .weights }.map { $0.layer - 1 })
    if !dense.isEmpty {
      needs.localGradients = Needs.Sweep(outputs: kernel.outputs, layers: Set(dense))
    }
    if isElementwise && layers.contains(last) { needs.slopes = [last] }
    let rows = max(batch, kernel.others?.batch ?? 0)
    let samples =
      blockSamples
      ?? BlockSize.samples(network: network, needs: needs, batch: rows, dtype: dtype)
    var scratch = ScratchLayout()
    stages = Stages(
      network: network, needs: needs, samples: samples, dtype: dtype, in: &scratch)
    scratchCount = scratch.count

    let rowsPerSample = kernel.form == .full ? m : 1
    self.rowsPerSample = rowsPerSample
    // A panel is a line of the cache wide, a block three of them high.
    let width = 64 / dtype.byteCount
    let tileSamples = max(
      1,
      min(
        rows, blockSamples ?? KernelLayout.tileSamples(rowsPerSample, blockRows: 3 * width)))
    self.tileSamples = tileSamples
    let (side, sideOverflow) = tileSamples.multipliedReportingOverflow(by: rowsPerSample)
    let tilePanels = sideOverflow ? 1 : (side - 1) / width + 1
    self.tilePanels = tilePanels
    stripRows = min(KernelLayout.stripBlocks, (tilePanels - 1) / 3 + 1) * 3 * width
    func terms(_ samples: Int, _ layout: inout ScratchLayout) -> [Term] {
      layers.map { k in
        let hasWeights = kernel.parameters.contains(Parameter(kind: .weights, layer: k))
        let isDiagonal = k == last && isElementwise
        let packed = CheckedSize(product: [
          (samples - 1) / tileSamples + 1, m / rowsPerSample, tilePanels, width,
        ])
        let deltaRows = isDiagonal ? CheckedSize(product: [samples, m]) : packed
        return Term(
          layer: k, hasWeights: hasWeights,
          hasBiases: kernel.parameters.contains(Parameter(kind: .biases, layer: k)),
          isDiagonal: isDiagonal,
          deltas: layout.add(
            "δ\(k)", rows: deltaRows.value ?? .max, columns: isDiagonal ? 1 : network.width(k)),
          inputs: layout.add(
            "a\(k - 1)", rows: hasWeights ? samples : 0, columns: network.width(k - 1)))
      }
    }
    var one = ScratchLayout()
    _ = terms(tileSamples, &one)
    let tileBytes = CheckedSize(product: [one.count, dtype.byteCount]).value ?? .max
    let tiles =
      blockSamples == nil ? max(1, KernelLayout.groupBytes / max(1, tileBytes)) : 2
    let (most, overflow) = tiles.multipliedReportingOverflow(by: tileSamples)
    let group = max(1, min(overflow ? .max : most, rows))
    var kept = ScratchLayout()
    let terms = terms(group, &kept)
    self.terms = terms
    steps =
      terms.filter(\.isDiagonal).map { Step(term: $0, range: 0..<0) }
      + terms.filter { !$0.isDiagonal }.flatMap { term in
        KernelLayout.parts(network.width(term.layer)).map { Step(term: term, range: $0) }
      }
    groupCount = kept.count
    groupSamples = group
    func groups(_ count: Int) -> [Range<Int>] {
      stride(from: 0, to: count, by: group).map { $0..<min($0 + group, count) }
    }
    rowGroups = groups(batch)
    columnGroups = groups(kernel.others?.batch ?? batch)

    var work = ScratchLayout()
    tile = work.add("tile of Θ", rows: side, columns: side)
    transpose = work.add("transpose", rows: isSymmetric ? side : 0, columns: side)
    blocks = work.add("blocks", rows: stripRows, columns: sideOverflow ? .max : tilePanels * width)
    inner = work.add(
      "a · a", rows: min(tileSamples, (stripRows - 1) / rowsPerSample + 2), columns: tileSamples)
    factors = work.add("a · a of stacked rows", rows: stripRows, columns: tileSamples)
    slopes = work.add(
      "φ′", rows: terms.contains(where: \.isDiagonal) ? stripRows : 0, columns: rowsPerSample)
    workspaceCount = work.count
    var bytes = CheckedSize(product: [scratch.count, isSymmetric ? 1 : 2])
    bytes.add(work.count)
    bytes.multiply(by: dtype.byteCount)
    bytes.add(
      BlockSize.packingBytes(
        network: network, stages: stages, dtype: dtype, widestProduct: side))
    hasOverflowed =
      one.hasOverflowed || kept.hasOverflowed || work.hasOverflowed || scratch.hasOverflowed
      || sideOverflow || bytes.value == nil || bytes.value ?? 0 > Planner.mostBytes
      || kept.count > Planner.mostBytes / 64
    bytesPerThread = bytes.value ?? Planner.mostBytes

    let pairs =
      isSymmetric
      ? Double(batch) * (Double(batch) + 1) / 2
      : Double(batch) * Double(kernel.others?.batch ?? 0)
    let each = terms.reduce(0.0) { sum, term in
      let products =
        term.isDiagonal
        ? Double(m)
        : (kernel.form == .full ? Double(m) * Double(m) : Double(m))
          * (2 * Double(network.width(term.layer)) + 2)
      return sum + products + (term.hasWeights ? 2 * Double(network.width(term.layer - 1)) : 0)
    }
    // Factors: each row group once, and the column groups for every row group.
    let again =
      isSymmetric
      ? Double(batch) * Double(max(0, rowGroups.count - 1)) / 2
      : Double(kernel.others?.batch ?? 0) * Double(max(1, rowGroups.count))
    operations = pairs * each + (Double(batch) + again) * stages.operationsPerSample
  }

  /// The samples of a tile: if they can be, as many as make whole blocks.
  private static func tileSamples(_ rowsPerSample: Int, blockRows: Int) -> Int {
    let most = max(1, tileRows / rowsPerSample)
    guard let step = (1...blockRows).first(where: { $0 * rowsPerSample % blockRows == 0 }),
      step <= most
    else { return most }
    return most / step * step
  }

  /// A row's numbers in equal parts of at most `depth`.
  private static func parts(_ width: Int) -> [Range<Int>] {
    let count = (width - 1) / depth + 1
    return (0..<count).map { width * $0 / count..<width * ($0 + 1) / count }
  }

  /// Panel `number` of tile `tile` of a group, of the tile of `output` where each has its own: (n_k, panel's rows).
  func panel(
    _ number: Int, ofTile tile: Int, output: Int, of term: Term, panelRows: Int
  ) -> Region {
    let size = panelRows * stages.network.width(term.layer)
    let index = (tile * (outputs / rowsPerSample) + output) * tilePanels + number
    return term.deltas.part(index * size..<(index + 1) * size)
  }

  /// Numbers that all threads share: the factors of two groups.
  var sharedCount: Int {
    rowGroups.count == 1 && isSymmetric ? groupCount : 2 * groupCount
  }

  /// The tiles of a pair of groups, samples by samples; of a group with itself those on and above the diagonal.
  func tiles(_ rows: Range<Int>, _ columns: Range<Int>) -> [(rows: Range<Int>, columns: Range<Int>)]
  {
    let isSame = isSymmetric && rows == columns
    return parts(rows).flatMap { row in
      parts(columns).filter { !isSame || $0.lowerBound >= row.lowerBound }
        .map { (rows: row, columns: $0) }
    }
  }

  /// The pairs of groups, those above the diagonal only where Θ is symmetric.
  var pairs: [(rows: Range<Int>, columns: Range<Int>)] {
    rowGroups.flatMap { row in
      columnGroups.filter { !isSymmetric || $0.lowerBound >= row.lowerBound }
        .map { (rows: row, columns: $0) }
    }
  }

  /// The blocks that a group's factors are computed in.
  func blocks(_ group: Range<Int>) -> [Range<Int>] {
    stride(from: group.lowerBound, to: group.upperBound, by: stages.samples).map {
      $0..<min($0 + stages.samples, group.upperBound)
    }
  }

  private func parts(_ group: Range<Int>) -> [Range<Int>] {
    stride(from: group.lowerBound, to: group.upperBound, by: tileSamples).map {
      $0..<min($0 + tileSamples, group.upperBound)
    }
  }

  /// How many tiles there are: the units of progress.
  var unitCount: Int {
    let counts = rowGroups.map { parts($0).count }
    let others = columnGroups.map { parts($0).count }
    if isSymmetric {
      let total = counts.reduce(0, +)
      return total * (total + 1) / 2
    }
    return counts.reduce(0, +) * others.reduce(0, +)
  }

  /// How many of them stand in the rows of the first `rows` samples, or, where Θ is symmetric, in their columns.
  func unitCount(ofRows rows: Int) -> Int {
    func tiles(_ groups: [Range<Int>]) -> Int { groups.reduce(0) { $0 + parts($1).count } }
    let count = rowGroups.reduce(0) { sum, group in
      sum + (group.lowerBound < rows ? parts(group.clamped(to: 0..<rows)).count : 0)
    }
    if isSymmetric { return count * tiles(rowGroups) - count * (count - 1) / 2 }
    return count * tiles(columnGroups)
  }

  /// Which row of a group's tiles a sample belongs to.
  func tileRow(_ sample: Int, in group: Range<Int>) -> Int {
    (sample - group.lowerBound) / tileSamples
  }

  /// The numbers of Θ that are done once the rows of the first `rows` of `batch` samples are, `count` being all.
  func finishedNumbers(rows: Int, of batch: Int, count: Int, form: NeuralTangentKernel.Form)
    -> [Range<Int>]
  {
    guard batch > 0, rows < batch, form == .perOutput, rows > 0 else {
      return [0..<(batch > 0 ? count / batch * rows : 0)]
    }
    // (m, B, B′): each output has its own rows.
    let each = count / outputs
    return (0..<outputs).map { $0 * each..<$0 * each + each / batch * rows }
  }

  /// In words.
  var strategy: String {
    let tile = "\(tileSamples) × \(tileSamples) samples"
    let groups =
      rowGroups.count == 1 && columnGroups.count == 1
      ? "" : ", factors of two groups of \(groupSamples) samples in memory at a time"
    return "Gram matrices of factors in tiles of \(tile)"
      + (isSymmetric ? ", half of them by symmetry" : "") + groups
  }
}

/// How many samples a block has: from shapes alone, so that neither threads nor machines change a result.
enum BlockSize {
  /// Stacked rows that make products efficient: their share of packing W is then a few per cent.
  static let rows = 512
  /// Below this, more blocks for more threads cost more than they bring.
  static let fewestRows = 64
  /// Blocks that let threads end at about the same time.
  static let blocks = 16
  /// The most scratch for the stages of a block, unless one sample needs more.
  static let bytes = 10 << 20

  /// Samples in one block.
  static func samples(network: NetworkShape, needs: Needs, batch: Int, byteCount: Int) -> Int {
    let rowsPerSample = max(1, needs.localGradients?.outputs.count ?? 1)
    var samples = evened(max(1, rows / rowsPerSample))
    while samples > 1, tooLarge(samples, network: network, needs: needs, byteCount: byteCount) {
      samples = evened(samples / 2)
    }
    let fewest = min(samples, evened((fewestRows - 1) / rowsPerSample + 1))
    let shared = evened(max(1, (batch - 1) / blocks + 1))
    return max(1, min(max(batch, 1), max(fewest, min(samples, shared))))
  }

  /// A multiple of eight where that is no great change, so that few padded rows are computed.
  private static func evened(_ samples: Int) -> Int {
    samples >= 8 ? samples & ~7 : max(1, samples)
  }

  private static func tooLarge(
    _ samples: Int, network: NetworkShape, needs: Needs, byteCount: Int
  ) -> Bool {
    var layout = ScratchLayout()
    _ = Stages(network: network, needs: needs, samples: samples, in: &layout)
    return layout.hasOverflowed || layout.count > bytes / byteCount
  }

  /// What OpenBLAS touches of its packing buffer for one thread: a panel of each factor, 256 to 384 deep.
  static func packingBytes(network: NetworkShape, stages: Stages, dtype: ScalarType) -> Int {
    let stacked = Stages.padded(stages.samples * max(1, stages.localGradients?.rowsPerSample ?? 1))
    let widest = (0...network.layers.count).reduce(0) { max($0, network.width($1)) }
    let columns = min(16_384, max(stacked, stages.needs.residuals.isEmpty ? 0 : widest))
    return (1 << 20) + 384 * columns * dtype.byteCount
  }
}

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
  ///
  /// A size that the batch has made smaller is a multiple of the row multiple, so that a sample's row keeps its
  /// place modulo that multiple for any batch.
  static func samples(
    network: NetworkShape, needs: Needs, batch: Int, dtype: ScalarType
  ) -> Int {
    let multiple = Stages.rowMultiple(dtype)
    let rowsPerSample = max(1, needs.ownRows, needs.localGradients?.outputs.count ?? 1)
    var samples = rounded(rows / rowsPerSample, multiple)
    while samples > 1, isTooLarge(samples, network: network, needs: needs, dtype: dtype) {
      samples = rounded(samples / 2, multiple)
    }
    if samples % multiple == 0 {
      let fewest = raised((fewestRows - 1) / rowsPerSample + 1, multiple)
      let shared = raised((batch - 1) / blocks + 1, multiple)
      samples = min(samples, max(fewest, shared))
    }
    return min(samples, max(batch, 1))
  }

  /// A multiple of `multiple` at most so many samples, or so many where they are fewer than one multiple.
  private static func rounded(_ samples: Int, _ multiple: Int) -> Int {
    samples >= multiple ? samples / multiple * multiple : max(1, samples)
  }

  /// A multiple of `multiple` at least so many samples.
  private static func raised(_ samples: Int, _ multiple: Int) -> Int {
    max(1, (samples - 1) / multiple + 1) * multiple
  }

  private static func isTooLarge(
    _ samples: Int, network: NetworkShape, needs: Needs, dtype: ScalarType
  ) -> Bool {
    var layout = ScratchLayout()
    _ = Stages(network: network, needs: needs, samples: samples, dtype: dtype, in: &layout)
    return layout.hasOverflowed || layout.count > bytes / dtype.byteCount
  }

  /// What OpenBLAS touches of its packing buffer for one thread: a panel of each factor, 256 to 384 deep.
  ///
  /// `widestProduct` is the most columns of products that gradients form themselves.
  static func packingBytes(
    network: NetworkShape, stages: Stages, dtype: ScalarType, widestProduct: Int
  ) -> Int {
    let (stacked, overflow) = stages.samples.multipliedReportingOverflow(
      by: max(1, stages.needs.ownRows, stages.localGradients?.rowsPerSample ?? 1))
    let widest = (0...network.layers.count).reduce(0) { max($0, network.width($1)) }
    let columns = max(
      overflow ? .max : stacked, stages.needs.residuals.isEmpty ? 0 : widest, widestProduct)
    return (1 << 20) + 384 * min(16_384, columns) * dtype.byteCount
  }
}

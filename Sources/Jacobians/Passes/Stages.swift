/// What stages 1 and 2 compute for every block of a job, and where a thread's scratch keeps it.
///
/// A layer that some gradient reads has a region of its own; the others take turns in two.
package struct Stages: Sendable {
  /// The network without its numbers.
  package let network: NetworkShape
  /// The most samples in a block.
  package let samples: Int
  /// Rows of products are padded to a multiple of this; see `rowMultiple(_:)`.
  package let rowMultiple: Int
  /// What all gradients of the job read.
  package let needs: Needs
  /// a_0…a_L, rows padded.
  package let activations: [Region]
  /// What `Activation.pullBack` multiplies by, at index k − 1; empty where no sweep passes.
  package let slopes: [Region]
  /// The rows of ∂y/∂v_k, if any gradient reads some.
  package let localGradients: Sweep?
  /// The rows (y − t)ᵀ ∂y/∂v_k, if any gradient reads some.
  package let residuals: Sweep?
  /// Estimated operations of one sample.
  package let operationsPerSample: Double

  /// Rows pulled back through the layers, from the outputs down.
  package struct Sweep: Sendable {
    /// How many rows each sample has.
    package let rowsPerSample: Int
    /// The last layer reached; 0 is the input.
    package let lowest: Int
    /// Where the rows of layer k are, at index k; nil where they are not computed.
    package let rows: [Region?]
    /// The layers whose rows some gradient reads.
    package let read: Set<Int>
  }

  /// What row counts are padded to, so that a row's bits do not depend on how many there are.
  ///
  /// Measured with OpenBLAS 0.3.21's Haswell kernels: in float64 a row has the same bits at any place among any
  /// even number of rows. In float32 the kernel takes twelve rows at a time, treats the first six unlike the
  /// others, and the rest of fewer than twelve otherwise again: there a row's bits depend on its place modulo
  /// twelve, and blocks begin at multiples of it (`BlockSize`), so that they do not depend on the batch.
  package static func rowMultiple(_ type: ScalarType) -> Int { type == .float64 ? 8 : 24 }

  /// The number of rows that so many are padded to.
  package func padded(_ rows: Int) -> Int { Stages.padded(rows, to: rowMultiple) }

  private static func padded(_ rows: Int, to multiple: Int) -> Int {
    // A size that does not fit is told by the layout, to which the largest number is as good as any.
    let (sum, overflow) = rows.addingReportingOverflow(multiple - 1)
    return overflow ? .max : sum / multiple * multiple
  }

  /// Lays out the stages that `needs` asks for, for blocks of at most `samples` samples.
  package init(
    network: NetworkShape, needs: Needs, samples: Int, dtype: ScalarType,
    in layout: inout ScratchLayout
  ) {
    let multiple = Stages.rowMultiple(dtype)
    rowMultiple = multiple
    self.network = network
    self.samples = samples
    self.needs = needs
    let layers = network.layers
    let last = layers.count
    let rows = Stages.padded(samples, to: multiple)
    let lowest = min(
      needs.localGradients?.layers.min() ?? last + 1, needs.residuals.min() ?? last + 1)

    var turns = Turns(name: "a", rows: rows)
    let kept = needs.activations.union([0, last])
    for k in 0...last where !kept.contains(k) { turns.widen(k, to: network.width(k)) }
    turns.lay(in: &layout)
    activations = (0...last).map { k in
      kept.contains(k)
        ? layout.add("a\(k)", rows: rows, columns: network.width(k))
        : turns.region(k, columns: network.width(k))
    }
    slopes = (1...last).map { k in
      let isPassed =
        (k >= lowest || needs.slopes.contains(k)) && layers[k - 1].activation != .identity
      return layout.add("slopes\(k)", rows: isPassed ? rows : 0, columns: network.width(k))
    }

    if let sweep = needs.localGradients, let lowest = sweep.layers.min() {
      // With an elementwise last layer δ_{L−1} follows from W_L alone: δ_L is made only to be read.
      let isSkipped = layers[last - 1].activation.isElementwise && !sweep.layers.contains(last)
      localGradients = Stages.sweep(
        "delta", read: sweep.layers, from: isSkipped ? last - 1 : last, to: lowest,
        rowsPerSample: sweep.outputs.count, samples: samples, multiple: multiple,
        network: network, in: &layout)
    } else {
      localGradients = nil
    }
    if let lowest = needs.residuals.min() {
      residuals = Stages.sweep(
        "residual", read: needs.residuals, from: last, to: lowest, rowsPerSample: 1,
        samples: samples, multiple: multiple, network: network, in: &layout)
    } else {
      residuals = nil
    }
    operationsPerSample = Stages.operations(
      network: network, localGradients: localGradients, residuals: residuals)
  }

  private static func sweep(
    _ name: String, read: Set<Int>, from top: Int, to lowest: Int, rowsPerSample: Int,
    samples: Int, multiple: Int, network: NetworkShape, in layout: inout ScratchLayout
  ) -> Sweep {
    let (rows, overflow) = samples.multipliedReportingOverflow(by: rowsPerSample)
    let padded = Stages.padded(overflow ? .max : rows, to: multiple)
    var turns = Turns(name: name, rows: padded)
    for k in lowest...max(lowest, top) where !read.contains(k) {
      turns.widen(k, to: network.width(k))
    }
    turns.lay(in: &layout)
    var regions = [Region?](repeating: nil, count: network.layers.count + 1)
    for k in lowest...max(lowest, top) {
      regions[k] =
        read.contains(k)
        ? layout.add("\(name)\(k)", rows: padded, columns: network.width(k))
        : turns.region(k, columns: network.width(k))
    }
    return Sweep(rowsPerSample: rowsPerSample, lowest: lowest, rows: regions, read: read)
  }

  private static func operations(
    network: NetworkShape, localGradients: Sweep?, residuals: Sweep?
  ) -> Double {
    var total = 0.0
    for (index, layer) in network.layers.enumerated() {
      let product = 2 * Double(layer.inputs) * Double(layer.outputs)
      total += product + 10 * Double(layer.outputs)
      for sweep in [localGradients, residuals] {
        if let sweep, sweep.lowest <= index {
          let isProduct = sweep.rows[index + 1] != nil
          total +=
            Double(sweep.rowsPerSample) * (isProduct ? product : Double(layer.inputs))
            + Double(sweep.rowsPerSample) * Double(layer.inputs)
        }
      }
    }
    return total
  }
}

extension NetworkShape {
  /// n_k, the width of a_k: n_0 inputs, n_1…n_L units.
  package func width(_ k: Int) -> Int { k == 0 ? inputs : layers[k - 1].outputs }
}

/// Two regions that layers use in turn, by the parity of k, for what only the next layer reads.
private struct Turns {
  let name: String
  let rows: Int
  private var widths = [0, 0]
  private var regions: [Region] = []

  init(name: String, rows: Int) {
    self.name = name
    self.rows = rows
  }

  mutating func widen(_ k: Int, to width: Int) { widths[k & 1] = max(widths[k & 1], width) }

  mutating func lay(in layout: inout ScratchLayout) {
    regions = (0...1).map { layout.add("\(name) in turn", rows: rows, columns: widths[$0]) }
  }

  func region(_ k: Int, columns: Int) -> Region {
    let region = regions[k & 1]
    // Laid out for the widest: this layer's share cannot overflow, unless the layout has.
    return Region(
      name: "\(name)\(k)", offset: region.offset, count: min(region.count, rows &* columns))
  }
}

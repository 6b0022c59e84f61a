/// What rows are multiplied by on their way back, W_k from layer to layer and W_1r to the step before, in strips of columns.
///
/// A strip is as wide as a product of panels takes columns at once, and its rows follow one another: where W_k does not
/// fit the nearest cache, rows that are far apart would each wait for the second.
enum PulledWeights {
  /// The columns of W_k (from 1) that rows go on to: those of r for the first layer.
  static func columns(
    _ k: Int, of network: NetworkShape, _ recurrence: Recurrence
  ) -> Range<Int> {
    let inputs = network.layers[k - 1].inputs
    return k == 1 ? network.outerInputs(recurrence)..<inputs : 0..<inputs
  }

  /// Columns of a strip: three registers of AVX-512.
  static func stripColumns<T: Scalar>(_ type: T.Type) -> Int { 192 / MemoryLayout<T>.stride }

  /// Regions of (strips, units kept, columns of a strip) at index k − 1; empty where W_k is left to BLAS: rows that go
  /// one by one, or a matrix that the second-level cache does not hold.
  static func layOut(
    _ network: NetworkShape, _ recurrence: Recurrence, rows: Int, isReduced: Bool,
    in layout: inout ScratchLayout
  ) -> [Region] {
    (1...network.layers.count).map { k in
      let units = RowSweep<Double>.kept(k, of: network, recurrence, isReduced: isReduced).count
      let columns = columns(k, of: network, recurrence).count
      let size = CheckedSize(product: [units, columns]).value ?? .max
      let isUsed = rows > StepProducts.singleRows && size <= StepProducts.panelLimit
      return layout.add("W\(k) in strips", rows: isUsed ? units : 0, columns: columns)
    }
  }
}

extension RowSweep {
  /// Fills the strips, once for all that is pulled back in this workspace.
  func keepWeights(in workspace: Workspace<T>) {
    let strip = PulledWeights.stripColumns(T.self)
    for k in 1...network.layers.count where strips[k - 1].count > 0 {
      let kept = RowSweep.kept(k, of: network, recurrence, isReduced: isReduced)
      let columns = PulledWeights.columns(k, of: network, recurrence)
      let stride = network.layers[k - 1].inputs
      let weights = weights[k - 1]
      let w = weights.span
      var place = workspace.mutable(strips[k - 1])
      for first in Swift.stride(from: 0, to: columns.count, by: strip) {
        let width = min(strip, columns.count - first)
        for row in kept.indices {
          let from = row * stride + columns.lowerBound + first
          let to = first * kept.count + (row - kept.lowerBound) * width
          var numbers = place._mutatingExtracting(to..<to + width)
          copy(w.extracting(from..<from + width), to: &numbers)
        }
      }
    }
  }
}

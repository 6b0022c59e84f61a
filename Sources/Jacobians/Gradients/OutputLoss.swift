/// The loss whose Hessian H with respect to y stands in the middle of a Gauss–Newton matrix Jᵀ H J: option `loss`.
///
/// Squared error ½‖y − t‖²: H = I. Softmax cross-entropy of logits y: H = diag(p) − p pᵀ, p = softmax(y) over all of a
/// sample's outputs, whatever the target (Martens 2014). Of a subset of outputs H has those rows and columns.
package enum OutputLoss: String, CaseIterable, Sendable {
  case squaredError = "squared-error"
  case softmaxCrossEntropy = "softmax-cross-entropy"

  /// Reads the option, and insists on logits where the loss has its own softmax.
  init(reading request: GradientOptions) throws(PlanError) {
    self = try request.choice("loss", OutputLoss.self, default: .squaredError)
    let last = request.network.layers.count - 1
    if self == .softmaxCrossEntropy, request.network.layers[last].activation == .softmax {
      throw PlanError(
        place: "\(request.place).loss",
        reason: "softmax-cross-entropy takes logits, and the last layer is a softmax already",
        remedy: "give network.layers[\(last)] the activation \"identity\" or \"log-softmax\"")
    }
  }

  /// How many rows `squareRoot` gives for so many of the network's outputs.
  func rootRows(_ outputs: OutputSubset, of network: NetworkShape) -> Int {
    // What is left out of a subset has one row together.
    self == .squaredError || outputs.count == network.outputs ? outputs.count : outputs.count + 1
  }

  /// p = softmax(y), row by row, (samples, m).
  func fillProbabilities<T: Scalar>(
    _ p: inout MutableSpan<T>, outputs y: Span<T>, width: Int
  ) {
    guard self == .softmaxCrossEntropy else { return }
    var noSlopes: [T] = []
    var none = noSlopes.mutableSpan
    var rows = p._mutatingExtracting(0..<y.count)
    copy(y, to: &rows)
    Activation.softmax.apply(to: &rows, width: width, slopes: &none)
  }

  /// u ← H u for stacked rows of outputs, (samples, m); outputs that nobody asked for become zero.
  func multiply<T: Scalar>(
    _ rows: inout MutableSpan<T>, probabilities p: Span<T>, outputs: OutputSubset, samples: Int,
    width: Int
  ) {
    if outputs.count < width {
      for sample in 0..<samples {
        for o in 0..<width where outputs.row(of: o) == nil { rows[sample * width + o] = 0 }
      }
    }
    guard self == .softmaxCrossEntropy else { return }
    for sample in 0..<samples {
      var inner: T = 0
      for o in sample * width..<(sample + 1) * width { inner += p[o] * rows[o] }
      for o in 0..<width {
        let i = sample * width + o
        rows[i] = outputs.row(of: o) == nil ? 0 : p[i] * (rows[i] - inner)
      }
    }
  }

  /// The rows X of one sample with Xᵀ X = δᵀ H δ, from the rows δ_o of the outputs asked for, into `root`.
  ///
  /// With δ̄ = Σ_o p_o δ_o they are √p_o (δ_o − δ̄), and √(1 − Σ_o p_o) δ̄ for the outputs that are left out.
  func squareRoot<T: Scalar>(
    _ delta: (_ row: Int) -> Int, of numbers: Span<T>, probabilities p: Span<T>,
    outputs: OutputSubset, width: Int, mean: inout MutableSpan<T>, into root: inout MutableSpan<T>
  ) {
    if self == .squaredError {
      for r in outputs.indices {
        let row = numbers.extracting(delta(r)..<delta(r) + width)
        var place = root._mutatingExtracting(r * width..<(r + 1) * width)
        copy(row, to: &place)
      }
      return
    }
    for i in 0..<width { mean[i] = 0 }
    var total: T = 0
    for r in outputs.indices {
      let weight = p[outputs[r]]
      total += weight
      let row = numbers.extracting(delta(r)..<delta(r) + width)
      for i in row.indices { mean[i] += weight * row[i] }
    }
    for r in outputs.indices {
      let weight = p[outputs[r]].squareRoot()
      let row = numbers.extracting(delta(r)..<delta(r) + width)
      var place = root._mutatingExtracting(r * width..<(r + 1) * width)
      for i in row.indices { place[i] = weight * (row[i] - mean[i]) }
    }
    if root.count > outputs.count * width {
      let rest = max(0, 1 - total).squareRoot()
      var place = root._mutatingExtracting(outputs.count * width..<(outputs.count + 1) * width)
      for i in 0..<width { place[i] = rest * mean[i] }
    }
  }
}

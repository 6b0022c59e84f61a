/// Vectors u in the space of a network's outputs, from which rows uᵀJ are made: option `vectors`.
///
/// An array (m) for all samples, (B, m), or (B, K, m) with several vectors for each; m counts the outputs asked for.
struct OutputVectors: Sendable {
  /// K.
  let count: Int
  /// Whether results have an axis of K.
  let hasAxis: Bool
  /// The outputs u has numbers for.
  let outputs: OutputSubset
  private let isShared: Bool
  private let operand: String

  /// Reads the option; `outputs` are those asked for.
  init(reading request: GradientOptions, outputs: OutputSubset) throws(PlanError) {
    let place = "\(request.place).vectors"
    let (batch, m) = (request.batch, outputs.count)
    let allowed = "allowed: (\(m)) for all samples, (\(batch), \(m)), or (\(batch), K, \(m))"
    guard case .array(let shape) = request.options["vectors"] else {
      throw PlanError(
        place: place,
        reason: "\(request.name) takes vectors, and "
          + (request.options["vectors"] == nil ? "there are none" : "this is no array"),
        remedy: allowed)
    }
    let isSeveral = shape.count == 3 && shape[0] == batch && shape[1] > 0 && shape[2] == m
    guard shape == [m] || shape == [batch, m] || isSeveral else {
      throw PlanError(
        place: place,
        reason: "the shape (\(shape.map(String.init).joined(separator: ", "))) does not fit \(m) "
          + "output\(m == 1 ? "" : "s") of \(batch) sample\(batch == 1 ? "" : "s")",
        remedy: allowed)
    }
    self.outputs = outputs
    operand = place
    isShared = shape.count == 1
    hasAxis = isSeveral
    count = isSeveral ? shape[1] : 1
  }

  /// Fills rows, vector by vector (K, `rows` ≥ samples, m of the network), with u; what nobody asked for is zero.
  func fill<T: Scalar>(
    _ target: inout MutableSpan<T>, samples: Range<Int>, rows: Int, width: Int,
    of problem: Problem<T>
  ) {
    let values = problem.operand(operand)
    let u = values.span
    for i in target.indices { target[i] = 0 }
    let m = outputs.count
    for k in 0..<count {
      for (row, sample) in samples.enumerated() {
        let start = isShared ? 0 : (sample * count + k) * m
        for r in 0..<m { target[(k * rows + row) * width + outputs[r]] = u[start + r] }
      }
    }
  }
}

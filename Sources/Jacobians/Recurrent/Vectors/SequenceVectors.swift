/// Vectors u in the space of a sequence's outputs at the steps asked for, from which rows uᵀJ are made: option `vectors`.
///
/// An array (m) for every step of every sequence, (T, m) for all sequences, (B, T, m), or (B, K, T, m) with several vectors for
/// each; m counts the outputs asked for, T the steps asked for, and there is no T with `"steps": "last"`.
struct SequenceVectors: Sendable {
  /// K.
  let count: Int
  /// Whether results have an axis of K.
  let hasAxis: Bool
  /// The outputs u has numbers for.
  let outputs: OutputSubset
  /// The steps u has numbers for.
  let selection: StepSelection
  private let isSharedBySteps: Bool
  private let isShared: Bool
  private let rows: Int
  private let operand: String

  /// Reads the option; outputs and steps are those asked for.
  init(
    reading request: RecurrentOptions, outputs: OutputSubset, selection: StepSelection
  ) throws(PlanError) {
    let place = "\(request.base.place).vectors"
    let batch = request.shape.batch
    let m = outputs.count
    let own = selection.axis(of: request.shape.steps) + [m]
    func text(_ shape: [Int]) -> String {
      "(" + shape.map(String.init).joined(separator: ", ") + ")"
    }
    let tail = own.map(String.init).joined(separator: ", ")
    var choices = own.count > 1 ? ["(\(m)) for every step", "\(text(own)) for all sequences"] : []
    if own.count == 1 { choices.append("(\(m)) for all sequences") }
    choices.append("(\(batch), \(tail))")
    let allowed =
      "allowed: " + choices.joined(separator: ", ") + ", or (\(batch), K, \(tail))"
    guard case .array(let shape) = request.base.options["vectors"] else {
      throw PlanError(
        place: place,
        reason: "\(request.base.name) takes vectors, and "
          + (request.base.options["vectors"] == nil ? "there are none" : "this is no array"),
        remedy: allowed)
    }
    let isSeveral =
      shape.count == own.count + 2 && shape[0] == batch && shape[1] > 0
      && Array(shape[2...]) == own
    guard shape == [m] || shape == own || shape == [batch] + own || isSeveral else {
      throw PlanError(
        place: place,
        reason: "the shape \(text(shape)) does not fit \(m) output\(m == 1 ? "" : "s") at the "
          + "steps asked for of \(batch) sequence\(batch == 1 ? "" : "s")",
        remedy: allowed)
    }
    self.outputs = outputs
    self.selection = selection
    operand = place
    rows = selection.count(of: request.shape.steps)
    isSharedBySteps = shape == [m]
    isShared = shape == [m] || shape == own
    hasAxis = isSeveral
    count = isSeveral ? shape[1] : 1
  }

  /// The array whose numbers they are.
  func values<T: Scalar>(of problem: RecurrentProblem<T>) -> Values<T> { problem.operand(operand) }

  /// Where vector `k` of a sequence begins in that array, at a row of its time axis.
  @inline(__always)
  func start(sequence: Int, vector k: Int, row: Int) -> Int {
    if isSharedBySteps { return 0 }
    return ((isShared ? 0 : (sequence * count + k) * rows) + row) * outputs.count
  }
}

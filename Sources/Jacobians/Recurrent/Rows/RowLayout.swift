/// Where a pass over one sequence keeps rows of ∂y(n)/∂w, and what gradients make of them.
struct RowLayout: Sendable {
  /// One gradient of those rows.
  struct Share: Sendable {
    let gradient: any RowGradient
    /// The place of its first array in the plan.
    let firstArray: Int
    /// What it computes in.
    let scratch: [Region]
    /// Its sums.
    let sums: Region

    /// How many arrays it has.
    var arrayCount: Int { gradient.sumSizes.count + gradient.stepSizes.count }
  }

  let request: RowRequest
  /// How the rows are computed.
  let jacobian: JacobianLayout
  /// Which columns of its tiles stand where in a row.
  let target: JacobianTarget
  /// Numbers of a row.
  let columns: Int
  /// The rows of the groups of a round, (rows, P).
  let rows: Region
  /// p = softmax(y(n)) of all steps asked for, (T, |y|).
  let probabilities: Region
  let probabilityWidth: Int
  let shares: [Share]
  /// The sums of all of them, one after another.
  let sums: Region
  let count: Int
  let hasOverflowed: Bool

  /// Numbers that the rows of a round may have, unless those of one group are more.
  static let mostNumbers = 1 << 22

  /// Adds rows and gradients to what a Jacobian is computed in; `jacobian` was made for `RowLayout.groupRows`.
  init(
    _ jacobian: JacobianLayout, _ request: RowRequest, _ gradients: [RowShare],
    shape: SequenceShape
  ) {
    self.request = request
    self.jacobian = jacobian
    let network = jacobian.network
    target = JacobianTarget(
      jacobian, parameters: request.parameters, isMatrix: true, shape: shape)
    columns = request.parameters.reduce(0) { $0 + network.count(of: $1) }
    var layout = ScratchLayout()
    _ = layout.add("Jacobian", rows: 1, columns: jacobian.count)
    let (most, overflow) = jacobian.groupsAtOnce.multipliedReportingOverflow(
      by: jacobian.largestGroup)
    rows = layout.add("rows", rows: overflow ? .max : most, columns: columns)
    let steps = max(1, most / max(1, request.outputs.count))
    let isSoftmax = gradients.contains { $0.gradient.needsProbabilities }
    probabilityWidth = network.outerOutputs(jacobian.recurrence)
    probabilities = layout.add(
      "p", rows: isSoftmax ? request.selection.count(of: shape.steps) : 0,
      columns: probabilityWidth)
    let sizes = gradients.map { $0.gradient.sumSizes.reduce(0, +) }
    sums = layout.add("sums", rows: 1, columns: sizes.reduce(0, +))
    var shares: [Share] = []
    var start = 0
    for (share, size) in zip(gradients, sizes) {
      shares.append(
        Share(
          gradient: share.gradient, firstArray: share.firstArray,
          scratch: share.gradient.layOut(steps: steps, in: &layout),
          sums: Region(name: "sums", offset: sums.offset + start, count: size)))
      start += size
    }
    self.shares = shares
    count = layout.count
    hasOverflowed = layout.hasOverflowed || jacobian.hasOverflowed
  }

  /// The most rows of a group: whole steps, as the rows of a step belong together.
  static func groupRows(_ request: RowRequest) -> Int {
    max(JacobianLayout.usualGroupRows, request.outputs.count)
  }

  /// What is written of all sequences together.
  var writtenSums: WrittenSums {
    WrittenSums(
      shares.flatMap { share in
        share.gradient.sumSizes.enumerated().map { (share.firstArray + $0, $1) }
      }, region: sums)
  }

  /// What is told of it in the plan.
  var sentence: String {
    let names = shares.map { type(of: $0.gradient).name }.joined(separator: ", ")
    let rows = jacobian.groupsAtOnce * jacobian.largestGroup
    return "\(names) of rows of ∂y(n)/∂w, \(rows) at a time"
  }
}

/// A gradient of rows and the place of its first array.
struct RowShare: Sendable {
  let gradient: any RowGradient
  let firstArray: Int
}

/// What of a sequence is done in the midst of a pass over it.
extension RecurrentPart {
  /// The arrays it writes, in the plan, and the numbers of each that are done of a sequence once so many windows or groups are.
  ///
  /// `each` says how many numbers an array has of a sequence.
  func finishedNumbers(
    _ units: Int, length: Int, steps: Int, each: (_ array: Int) -> Int
  ) -> [(array: Int, numbers: Int)] {
    /// What the rows of the steps before `end` are of an array.
    func rows(_ selection: StepSelection, before end: Int, of array: Int) -> Int {
      each(array) / selection.count(of: steps)
        * selection.rows(in: 0..<end, length: length).count
    }
    func rows(ofGroups layout: (selection: StepSelection, outputs: Int, most: Int), of array: Int)
      -> Int
    {
      let all = layout.selection.count(of: steps) * layout.outputs
      let own = layout.selection.rows(in: 0..<length, length: length).count
      return each(array) / max(1, all)
        * RowGroup.firstRow(units, steps: own, outputs: layout.outputs, most: layout.most)
    }
    switch self {
    case .steps(let layout, let shares):
      return shares.flatMap { share in
        share.arrays.map { array in
          let numbers = share.gradient.stepAxis.map {
            rows($0, before: min(units * layout.window, length), of: array)
          }
          return (array, numbers ?? 0)
        }
      }
    case .jacobian(let layout, let target, let firstArray):
      return (firstArray..<firstArray + target.arrayCount).map { array in
        let numbers =
          layout.carries
          ? rows(layout.selection, before: units * layout.window, of: array)
          : rows(
            ofGroups: (layout.selection, layout.outputs.count, layout.groupRows), of: array)
        return (array, numbers)
      }
    case .pairs(let layout, let firstArray):
      return layout.sources.enumerated().map { number, source in
        // What belongs to steps alone is written on the way forwards, which is gone again.
        if case .activations = source { return (firstArray + number, 0) }
        return (
          firstArray + number,
          rows(
            ofGroups: (layout.selection, layout.outputs.count, layout.groupRows),
            of: firstArray + number)
        )
      }
    // Written at once, at the end.
    case .loss: return (writtenSums?.arrays ?? []).map { ($0, 0) }
    // Gone through anew: J V, or what is pulled back; rows, of sums or of each step.
    case .vectors(_, let firstArray):
      return (writtenSums?.arrays ?? [firstArray]).map { ($0, 0) }
    case .rows(let layout):
      return layout.shares.flatMap { share in
        (share.firstArray..<share.firstArray + share.arrayCount).map { ($0, 0) }
      }
    }
  }

  /// Whether a computation can go on between two of its windows or groups; otherwise it begins anew in each sequence.
  var goesOnWithin: Bool {
    switch self {
    case .steps, .jacobian, .pairs, .loss: true
    case .rows, .vectors: false
    }
  }

  /// Numbers that it needs to go on between two windows, or groups of rows.
  var stateCount: Int {
    let state: [Region]
    switch self {
    case .steps(let layout, _): state = layout.state
    case .jacobian(let layout, _, _):
      state = layout.carries && !layout.carried.isEmpty ? layout.state(edge: 0) : []
    case .pairs, .rows, .vectors: state = []
    case .loss(let layout, _): state = layout.kept
    }
    return state.reduce(0) { $0 + $1.count }
  }
}

extension RecurrentPlan {
  /// Operations for each byte of state, below which keeping it is not worth while.
  ///
  /// A byte takes as long to become durable (2 ns at 0.5 GB/s) as 20 operations, and computing its sequence should take 20
  /// times as long.
  private static let operationsPerStateByte = 400.0

  /// Whether a pass keeps what it needs to go on within a sequence of that length.
  func isKept(_ part: RecurrentPart, length: Int) -> Bool {
    part.goesOnWithin
      && sequenceOperations[length] ?? 0
        >= RecurrentPlan.operationsPerStateByte * Double(part.stateCount * dtype.byteCount)
  }

  /// The most bytes that stand on disk beside the results to go on within a sequence: the new ones, and the last ones until then.
  package var stateBytes: Int {
    let longest = shape.distinctLengths.max() ?? 0
    let kept = parts.filter { isKept($0, length: longest) }
    return 2 * kept.reduce(0) { max($0, $1.stateCount) } * dtype.byteCount
  }
}

/// Some rows that are pulled back together: outputs z_o(n) of consecutive steps, later steps last.
struct RowGroup: Sendable {
  /// The rows of one step.
  struct Segment: Sendable {
    /// n.
    let step: Int
    /// The rows, counted in the group.
    let rows: Range<Int>
    /// The place of the first row's output among the group's outputs.
    let firstOutput: Int
  }

  /// Ascending in their steps; their rows follow one another.
  let segments: [Segment]
  /// Which outputs of z the rows of a step are.
  let outputs: OutputSubset
  /// Whether these are the rows of ∂r over the window's end.
  let isCarried: Bool
  /// Where its first row stands among all rows of its sequence (time axis, outputs), or among R.
  let firstRow: Int

  /// How many rows there are.
  var rowCount: Int { segments.last?.rows.upperBound ?? 0 }
  /// The last step of any row.
  var lastStep: Int { segments.last?.step ?? -1 }

  /// Cuts the rows of some steps, at most `most` in a group; a step's rows are cut only if there are more.
  static func cut(
    rows axis: Range<Int>, of selection: StepSelection, length: Int, outputs: OutputSubset,
    most: Int
  ) -> [RowGroup] {
    let width = outputs.count
    var groups: [RowGroup] = []
    if width >= most {
      for row in axis {
        groups += pieces(
          of: outputs, at: selection.step(at: row, length: length), firstRow: row * width,
          isCarried: false, most: most)
      }
      return groups
    }
    let stepsPerGroup = most / width
    var first = axis.lowerBound
    while first < axis.upperBound {
      let end = min(first + stepsPerGroup, axis.upperBound)
      groups.append(
        RowGroup(
          segments: (first..<end).map { row in
            Segment(
              step: selection.step(at: row, length: length),
              rows: (row - first) * width..<(row - first + 1) * width, firstOutput: 0)
          }, outputs: outputs, isCarried: false, firstRow: first * width))
      first = end
    }
    return groups
  }

  /// Where the first row of group `group` of those that `cut` makes stands among all rows of so many steps.
  static func firstRow(_ group: Int, steps: Int, outputs: Int, most: Int) -> Int {
    if outputs >= most {
      let pieces = (outputs - 1) / most + 1
      return group / pieces * outputs + group % pieces * most
    }
    return min(group * (most / max(1, outputs)), steps) * outputs
  }

  /// The rows of ∂r at one step.
  static func carried(_ recurrence: Recurrence, of network: NetworkShape, at step: Int, most: Int)
    -> [RowGroup]
  {
    let first = network.outerOutputs(recurrence)
    return pieces(
      of: OutputSubset(Array(first..<network.outputs)), at: step, firstRow: 0, isCarried: true,
      most: most)
  }

  private static func pieces(
    of outputs: OutputSubset, at step: Int, firstRow: Int, isCarried: Bool, most: Int
  ) -> [RowGroup] {
    stride(from: 0, to: outputs.count, by: most).map { start in
      let end = min(start + most, outputs.count)
      return RowGroup(
        segments: [Segment(step: step, rows: 0..<end - start, firstOutput: start)],
        outputs: outputs, isCarried: isCarried, firstRow: firstRow + start)
    }
  }
}

/// One pass over each sequence of a job, planned: what it does and where its arrays begin in the plan.
enum RecurrentPart: Sendable {
  /// Gradients of single steps, all in one pass.
  case steps(StepLayout, [StepShare])
  /// ∂z(n)/∂w, multiplied out.
  case jacobian(JacobianLayout, JacobianTarget, firstArray: Int)
  /// Rows at every step they pass.
  case pairs(PairLayout, firstArray: Int)
  /// ∂E/∂w.
  case loss(LossLayout, firstArray: Int)
  /// Gradients made of rows of ∂y(n)/∂w.
  case rows(RowLayout)
  /// Products of vectors with ∂y(n)/∂w.
  case vectors(VectorLayout, firstArray: Int)

  /// A gradient of single steps and the place of its first array.
  struct StepShare: Sendable {
    let gradient: any StepGradient
    let firstArray: Int
    /// Its arrays in the plan.
    let arrays: Range<Int>
  }

  var trajectory: TrajectoryLayout {
    switch self {
    case .steps(let layout, _): layout.trajectory
    case .jacobian(let layout, _, _): layout.trajectory
    case .pairs(let layout, _): layout.trajectory
    case .loss(let layout, _): layout.trajectory
    case .rows(let layout): layout.jacobian.trajectory
    case .vectors(let layout, _): layout.trajectory
    }
  }

  /// Numbers that a sequence takes.
  var workspaceCount: Int {
    switch self {
    case .steps(let layout, _): layout.count
    case .jacobian(let layout, _, _): layout.count
    case .pairs(let layout, _): layout.count
    case .loss(let layout, _): layout.count
    case .rows(let layout): layout.count
    case .vectors(let layout, _): layout.count
    }
  }

  /// Numbers that each thread takes beside them.
  var slotCount: Int {
    switch self {
    case .steps, .loss, .vectors: 0
    case .jacobian(let layout, _, _): layout.slotCount
    case .rows(let layout): layout.jacobian.slotCount
    case .pairs(let layout, _): layout.slotCount
    }
  }

  var hasOverflowed: Bool {
    switch self {
    case .steps(let layout, _): layout.hasOverflowed
    case .jacobian(let layout, _, _): layout.hasOverflowed
    case .pairs(let layout, _): layout.hasOverflowed
    case .loss(let layout, _): layout.hasOverflowed
    case .rows(let layout): layout.hasOverflowed
    case .vectors(let layout, _): layout.hasOverflowed
    }
  }

  /// Numbers that are summed over sequences.
  var sumCount: Int {
    guard let written = writtenSums, !written.isPerSample else { return 0 }
    return written.count
  }

  /// What is written of a sequence, or of all of them, at once, if that is what this pass computes.
  var writtenSums: WrittenSums? {
    switch self {
    case .loss(let layout, let firstArray):
      WrittenSums(
        layout.parameters, of: layout.network, vectors: 1, isPerSample: layout.isPerSample,
        region: layout.sums, firstArray: firstArray)
    case .vectors(let layout, let firstArray) where layout.sweep.isPulledBack:
      WrittenSums(
        layout.sweep.parameters, of: layout.network, vectors: layout.sweep.count,
        isPerSample: layout.sweep.isPerSample, region: layout.sums, firstArray: firstArray)
    case .rows(let layout) where layout.sums.count > 0: layout.writtenSums
    default: nil
    }
  }

  /// Into how many blocks a sequence of that length is divided, for telling progress.
  func blocks(length: Int) -> Int {
    func pieces(_ count: Int, of size: Int) -> Int { count == 0 ? 0 : (count - 1) / size + 1 }
    switch self {
    case .steps(let layout, _): return pieces(length, of: layout.window)
    case .loss(let layout, _): return pieces(length, of: layout.window)
    case .vectors(let layout, _): return layout.blocks(length: length)
    case .jacobian(let layout, _, _): return layout.blocks(length: length)
    case .rows(let layout): return layout.jacobian.blocks(length: length)
    case .pairs(let layout, _):
      return RowGroup.count(
        steps: layout.selection.rows(in: 0..<length, length: length).count,
        outputs: layout.outputs.count, most: layout.groupRows)
    }
  }
}

extension JacobianLayout {
  /// Windows over which S is carried, or groups of rows.
  func blocks(length: Int) -> Int {
    let end = selection.end(length: length)
    if carries { return end == 0 ? 0 : (end - 1) / window + 1 }
    return RowGroup.count(
      steps: selection.rows(in: 0..<end, length: length).count, outputs: outputs.count,
      most: groupRows)
  }
}

extension RowGroup {
  /// How many groups `cut` makes of the rows of so many steps.
  static func count(steps: Int, outputs: Int, most: Int) -> Int {
    guard steps > 0, outputs > 0 else { return 0 }
    if outputs >= most { return steps * ((outputs - 1) / most + 1) }
    return (steps - 1) / (most / outputs) + 1
  }
}

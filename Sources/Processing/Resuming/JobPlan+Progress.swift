import Jacobians

extension JobPlan {
  /// For each array the numbers that stand for good once so much is computed: ascending ranges, the first from 0 on.
  func finishedNumbers(_ computed: ComputedBlocks) -> [[Range<Int>]] {
    switch self {
    case .feedForward(let plan): plan.finishedNumbers(computed)
    case .recurrent(let plan): plan.finishedNumbers(computed)
    }
  }

  /// Bytes of all sums over samples or sequences.
  var sumBytes: Int {
    switch self {
    case .feedForward(let plan): plan.sumBytes
    case .recurrent(let plan): plan.sumBytes
    }
  }

  /// So much as blocks of progress.
  func blocks(_ computed: ComputedBlocks) -> Int {
    switch self {
    case .feedForward(let plan): plan.blockCount(of: computed)
    case .recurrent(let plan): plan.blockCount(of: computed)
    }
  }

  /// Whether so much can be computed of this plan, and is anything.
  func isPossible(_ computed: ComputedBlocks) -> Bool {
    switch self {
    case .feedForward(let plan): plan.isPossible(computed)
    case .recurrent(let plan): plan.isPossible(computed)
    }
  }
}

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

  /// The most bytes that stand beside the results while they are computed, so that another attempt can go on: the last record's
  /// sums and state, and the next one's.
  package var keptBytes: Int {
    switch self {
    case .feedForward: 2 * sumBytes
    case .recurrent(let plan): 2 * sumBytes + plan.stateBytes
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

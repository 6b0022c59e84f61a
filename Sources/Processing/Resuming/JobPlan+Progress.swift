import Jacobians

extension JobPlan {
  /// For each array how many numbers stand for good once so many blocks of samples, or sequences, are done.
  func finishedNumbers(_ computed: Int) -> [Int] {
    switch self {
    case .feedForward(let plan): plan.finishedNumbers(blocks: computed)
    case .recurrent(let plan): plan.finishedNumbers(sequences: computed)
    }
  }

  /// Bytes of all sums over samples or sequences.
  var sumBytes: Int {
    switch self {
    case .feedForward(let plan): plan.sumBytes
    case .recurrent(let plan): plan.sumBytes
    }
  }

  /// So many blocks of samples, or sequences, as blocks of progress.
  func blocks(_ computed: Int) -> Int {
    switch self {
    case .feedForward: computed
    case .recurrent(let plan): plan.blockCount(ofSequences: computed)
    }
  }

  /// The most blocks of samples, or sequences, that can be done.
  var mostComputed: Int {
    switch self {
    case .feedForward(let plan): plan.blockCount
    case .recurrent(let plan): plan.shape.batch
    }
  }
}

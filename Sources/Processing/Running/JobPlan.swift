package import Formats
package import Jacobians

/// The plan of either kind of network.
package enum JobPlan: Sendable {
  /// Layers one after the other.
  case feedForward(Plan)
  /// Step by step through time.
  case recurrent(RecurrentPlan)

  /// The network without its numbers.
  package var network: NetworkShape {
    switch self {
    case .feedForward(let plan): plan.network
    case .recurrent(let plan): plan.network
    }
  }

  /// B: samples, or sequences.
  package var batch: Int {
    switch self {
    case .feedForward(let plan): plan.batch
    case .recurrent(let plan): plan.shape.batch
    }
  }

  /// The number type of computation and results.
  package var dtype: ScalarType {
    switch self {
    case .feedForward(let plan): plan.dtype
    case .recurrent(let plan): plan.dtype
    }
  }

  /// Every array of every gradient, in the order a sink is asked for them.
  package var arrays: [ResultArray] {
    switch self {
    case .feedForward(let plan): plan.arrays
    case .recurrent(let plan): plan.arrays
    }
  }

  /// The way the gradients are computed, and why where there is a choice.
  package var strategy: String {
    switch self {
    case .feedForward(let plan): plan.strategy
    case .recurrent(let plan): plan.strategy
    }
  }

  /// Estimated floating-point operations of the whole job.
  package var operations: Double {
    switch self {
    case .feedForward(let plan): plan.operations
    case .recurrent(let plan): plan.operations
    }
  }

  /// Bytes of all arrays, without their headers.
  package var resultBytes: Int {
    switch self {
    case .feedForward(let plan): plan.resultBytes
    case .recurrent(let plan): plan.resultBytes
    }
  }

  /// Whether the result is checked against backpropagation and finite differences.
  package var verify: Bool {
    switch self {
    case .feedForward(let plan): plan.verify
    case .recurrent(let plan): plan.verify
    }
  }

  /// How many blocks progress counts.
  package var blockCount: Int {
    switch self {
    case .feedForward(let plan): plan.blockCount
    case .recurrent(let plan): plan.blockCount
    }
  }

  /// Peak memory in bytes of computing with `threads` threads, the process itself left out.
  package func peakMemory(threads: Int) -> Int {
    switch self {
    case .feedForward(let plan): plan.peakMemory(threads: threads)
    case .recurrent(let plan): plan.peakMemory(threads: threads)
    }
  }

  /// Plans a job document; a recurrent network's strategy keeps within `memory` bytes where one can.
  package init(of document: JobDocument, memory: Int) throws(PlanError) {
    guard let recurrent = document.recurrent else {
      self = .feedForward(
        try Planner.plan(
          network: document.network, batch: document.batch, dtype: document.dtype,
          requests: document.gradients, hasTargets: document.hasTargets, verify: document.verify))
      return
    }
    self = .recurrent(
      try Planner.plan(
        recurrent: document.network, recurrence: recurrent.recurrence, shape: recurrent.shape,
        dtype: document.dtype, requests: document.gradients, hasTargets: document.hasTargets,
        hasInitialState: document.arrays.initialState != nil, verify: document.verify,
        strategy: recurrent.strategy, memory: max(0, memory - MachineLimits.processMemory)))
  }
}

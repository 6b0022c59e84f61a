/// What a recurrent job will compute and what that takes; made from shapes alone, before any number is read.
package struct RecurrentPlan: Sendable {
  /// One way to the Jacobians with respect to parameters, with what it would take on one thread.
  package struct Candidate: Sendable {
    /// The way.
    package let strategy: RecurrentStrategy
    /// Floating-point operations, of the Jacobians alone.
    package let operations: Double
    /// Bytes read and written that are not in the nearest cache.
    package let bytesMoved: Double
    /// Seconds the cost model predicts for one thread.
    package let seconds: Double
    /// Peak memory of the whole job in bytes with one thread, the process itself left out.
    package let memory: Int
    /// The steps of a block, for `blocked`.
    package let blockSteps: Int?
    /// The kinds of work behind the prediction.
    package let cost: RecurrentCost
    /// Whether the memory is within the job's limit.
    package let fits: Bool
  }

  /// f without its numbers.
  package let network: NetworkShape
  /// Which outputs of f are fed back.
  package let recurrence: Recurrence
  /// How many sequences, how long.
  package let shape: SequenceShape
  /// The number type of computation and results.
  package let dtype: ScalarType
  /// Every array of every gradient, in the order a sink is asked for them.
  package let arrays: [ResultArray]
  /// The way the gradients are computed, and why it was chosen.
  package let strategy: String
  /// The way to ∂z(n)/∂w multiplied out, where that is asked for.
  package let chosen: RecurrentStrategy?
  /// All ways to it with their costs.
  package let candidates: [Candidate]
  /// Estimated floating-point operations of the whole job.
  package let operations: Double
  /// Those of a sequence of each length, kernels left out.
  let sequenceOperations: [Int: Double]
  /// Those of all kernels.
  let kernelOperations: Double
  /// Bytes of all arrays, without their headers.
  package let resultBytes: Int
  /// Bytes of the problem's own numbers.
  package let problemBytes: Int
  /// Whether the result is checked against backpropagation and finite differences.
  package let verify: Bool
  /// How many blocks progress counts: windows of steps or groups of rows, of every pass over every sequence.
  package let blockCount: Int

  /// What was asked for.
  let requests: [GradientRequest]
  /// The passes over each sequence.
  let parts: [RecurrentPart]
  /// Kernels, which pairs of sequences make: after all passes.
  let kernels: [RecurrentKernelLayout]
  /// Bytes that all sequences share beside the problem.
  let sharedBytes: Int

  /// Numbers of one sequence's workspace.
  var workspaceCount: Int {
    kernels.reduce(parts.reduce(0) { max($0, $1.workspaceCount) }) { max($0, $1.count) }
  }
  /// Numbers of each thread's own memory.
  var slotCount: Int {
    kernels.reduce(parts.reduce(0) { max($0, $1.slotCount) }) {
      max($0, $1.rows.jacobian.slotCount)
    }
  }

  /// How threads are divided: so many sequences at once, each computed by so many threads.
  func division(of threads: Int) -> (sequences: Int, threadsEach: Int) {
    let sequences = max(1, min(threads, shape.batch))
    return (sequences, max(1, threads / sequences))
  }

  /// Peak memory in bytes of computing with `threads` threads, the process itself left out.
  package func peakMemory(threads: Int) -> Int {
    let (sequences, each) = division(of: threads)
    return RecurrentPlan.memory(
      problem: problemBytes + sharedBytes, workspace: workspaceCount, slot: slotCount,
      dtype: dtype, sequences: sequences, threadsEach: each)
  }

  /// OpenBLAS touches about this much of its packing buffer in a thread.
  static let packingBytes = 5 << 20

  static func memory(
    problem: Int, workspace: Int, slot: Int, dtype: ScalarType, sequences: Int, threadsEach: Int
  ) -> Int {
    return problem + sequences * workspace * dtype.byteCount
      + sequences * threadsEach * (slot * dtype.byteCount + packingBytes)
  }
}

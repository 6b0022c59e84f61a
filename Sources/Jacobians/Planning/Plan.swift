/// What a job will compute and what that takes; made from shapes alone, before any number is read.
package struct Plan: Sendable {
  /// The network without its numbers.
  package let network: NetworkShape
  /// B.
  package let batch: Int
  /// The number type of computation and results.
  package let dtype: ScalarType
  /// What is computed block by block, ready to contract.
  package let gradients: [any BlockGradient]
  /// Every array of every gradient, in the order a sink is asked for them.
  package let arrays: [ResultArray]
  /// Samples in one block; depends on shapes only, never on threads, so results do not either.
  package let blockSamples: Int
  /// The way the gradients are computed, as `local gradients, then contraction`.
  package let strategy: String
  /// Estimated floating-point operations of the whole job.
  package let operations: Double
  /// … of one sample that goes through a block.
  let operationsPerSample: Double
  /// Bytes of all arrays, without their headers.
  package let resultBytes: Int
  /// Bytes of the problem's own numbers: parameters, inputs, targets.
  package let problemBytes: Int
  /// Bytes of scratch memory one thread allocates, once, and what OpenBLAS touches to pack matrices for it.
  package let scratchBytesPerThread: Int
  /// Bytes that all threads share beside the problem, as sums over samples.
  package let sharedBytes: Int
  /// Whether the result is checked against backpropagation and finite differences.
  package let verify: Bool

  /// What was asked for.
  let requests: [GradientRequest]
  /// What stages 1 and 2 compute for a block.
  package let stages: Stages
  /// For each of `gradients` the place of its first array among `arrays`.
  let firstArrays: [Int]
  /// Numbers of one thread's scratch.
  let scratchCount: Int
  /// Where in scratch the gradients' part begins; the passes keep to what is before.
  let workStart: Int
  /// The tile that streams fill, counted from `workStart`.
  let tile: Region
  /// A block's share of one array of sums, counted from `workStart`.
  let share: Region
  /// For each gradient how many numbers each of its arrays sums over all samples; none for the others.
  let sumCounts: [[Int]]
  /// Numbers of one thread's workspace, in which gradients compute beside their tile and sums.
  let workspaceCount: Int
  /// What is computed of pairs of samples, after all blocks.
  let kernels: [KernelPlan]

  /// How many blocks of samples there are; none where only kernels are asked for.
  var sampleBlocks: Int {
    batch == 0 || gradients.isEmpty ? 0 : (batch - 1) / blockSamples + 1
  }

  /// How many blocks there are, of samples and of pairs of samples.
  package var blockCount: Int { kernels.reduce(sampleBlocks) { $0 + $1.layout.unitCount } }

  /// How the chain of ∂y/∂x is multiplied out, if it is asked for.
  package var bracketing: Bracketing? {
    gradients.lazy.compactMap { ($0 as? InputJacobian)?.bracketing }.first
  }

  /// Peak memory in bytes of computing with `threads` threads, the process itself left out.
  package func peakMemory(threads: Int) -> Int {
    problemBytes + sharedBytes + max(1, threads) * scratchBytesPerThread
  }
}

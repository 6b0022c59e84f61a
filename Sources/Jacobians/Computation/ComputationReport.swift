/// What a computation took and showed, for the manifest.
package struct ComputationReport: Sendable {
  /// Seconds of each stage, summed over threads: `forward`, `local gradients`, `contraction and writing`,
  /// `verification`; and `wall`, from beginning to end.
  package let seconds: [(stage: String, seconds: Double)]
  /// What the job's numbers were like.
  package let numerics: Numerics
  /// The checks, if the plan asked for them.
  package let verification: Verification?
  /// The name of OpenBLAS's kernels, as `Haswell`.
  package let kernel: String
  /// Operations of the blocks that were computed, each counted as the plan does.
  package let operations: Double
}

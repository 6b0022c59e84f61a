/// One block after stages 1 and 2: what a gradient contracts. Spans are row-major, without padding.
package struct Block<T: Scalar>: ~Escapable {
  /// The job's numbers.
  package let problem: Problem<T>
  /// The block's samples, counted in the batch.
  package let samples: Range<Int>
  /// What the passes left, and the outputs whose rows were pulled back.
  package let stages: Stages
  private let numbers: Span<T>

  @_lifetime(copy numbers)
  init(_ samples: Range<Int>, of problem: Problem<T>, stages: Stages, numbers: Span<T>) {
    self.problem = problem
    self.samples = samples
    self.stages = stages
    self.numbers = numbers
  }

  /// a_k, (samples, n_k).
  @_lifetime(copy self)
  package func activations(_ k: Int) -> Span<T> {
    rows(stages.activations[k], count: samples.count, width: stages.network.width(k))
  }

  /// What `Activation.pullBack` and `pushForward` multiply by, (samples, n_k); empty for identity.
  @_lifetime(copy self)
  package func slopes(_ k: Int) -> Span<T> {
    let region = stages.slopes[k - 1]
    return region.count == 0
      ? numbers.extracting(0..<0)
      : rows(region, count: samples.count, width: stages.network.width(k))
  }

  /// a_k with the rows that pad it, (padded samples, n_k).
  @_lifetime(copy self)
  package func paddedActivations(_ k: Int) -> Span<T> {
    rows(
      stages.activations[k], count: stages.padded(samples.count), width: stages.network.width(k))
  }

  /// y = a_L, (samples, m).
  package var outputs: Span<T> {
    @_lifetime(copy self)
    get { activations(stages.network.layers.count) }
  }

  /// δ_k = ∂y/∂v_k, (samples, outputs pulled back, n_k); for k = 0, ∂y/∂x.
  @_lifetime(copy self)
  package func localGradients(_ k: Int) -> Span<T> {
    pulledBack(stages.localGradients, k)
  }

  /// (y − t)ᵀ δ_k, (samples, n_k).
  @_lifetime(copy self)
  package func residuals(_ k: Int) -> Span<T> {
    pulledBack(stages.residuals, k)
  }

  /// How many rows each sample of `localGradients` has.
  package var rowsPerSample: Int { stages.localGradients?.rowsPerSample ?? 0 }

  /// The outputs of each sample of `localGradients`, in the order of its rows.
  package var outputsPulledBack: OutputSubset {
    guard let sweep = stages.needs.localGradients else {
      preconditionFailure("a gradient reads the rows it declared")
    }
    return sweep.outputs
  }

  /// Which row of each sample of `localGradients` belongs to an output.
  package func row(of output: Int) -> Int { outputsPulledBack.place(of: output) }

  @_lifetime(copy self)
  private func pulledBack(_ sweep: Stages.Sweep?, _ k: Int) -> Span<T> {
    guard let sweep, sweep.read.contains(k), let region = sweep.rows[k] else {
      preconditionFailure("a gradient reads the layers it declared")
    }
    return rows(
      region, count: samples.count * sweep.rowsPerSample, width: stages.network.width(k))
  }

  @_lifetime(copy self)
  private func rows(_ region: Region, count: Int, width: Int) -> Span<T> {
    numbers.extracting(region.offset..<region.offset + count * width)
  }
}

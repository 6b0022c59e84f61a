/// Computes products of vectors with one sequence's J: tangents forwards through time, rows backwards, or both.
///
///     t_k(n) = V_k a_{k−1}(n) + c_k + W_k r_{k−1}(n),   r_k(n) = ∂φ_k/∂v_k t_k(n),   r_0(n) = (0, ∂r(n−1)/∂w V),   J V(n) = Γ_y r_L(n)
///
/// Pearlmutter 1994. Backwards it is backpropagation through time of K rows, u(n) joining at each step.
struct VectorPass<T: Scalar> {
  let layout: VectorLayout
  let job: RecurrentJob<T>
  let writer: ResultWriter
  let workspace: Workspace<T>

  /// f.
  var network: NetworkShape { layout.network }
  /// What is asked for.
  var sweep: VectorSweep { layout.sweep }
  /// K.
  var vectors: Int { layout.sweep.count }
  /// R.
  var units: Int { layout.recurrence.units }
  /// |y|.
  var outer: Int { layout.network.outerOutputs(layout.recurrence) }

  /// One sequence; what is pulled back is left in `layout.sums`, J V is written.
  func run(_ trajectory: inout Trajectory<T>, length: Int) throws {
    let end = sweep.selection.end(length: length)
    let windows = stride(from: 0, to: end, by: layout.window).map {
      $0..<min($0 + layout.window, end)
    }
    clearState()
    if let directions = sweep.directions { keep(directions) }
    for window in windows {
      try job.checkCancellation()
      var clock = ContinuousClock.now
      trajectory.advance(over: window)
      job.spent(.forward, since: clock)
      guard let directions = sweep.directions else { continue }
      clock = .now
      move(trajectory, window, directions)
      job.spent(.backward, since: clock)
      clock = .now
      if sweep.isPulledBack {
        keepProducts(trajectory, window, length: length)
      } else {
        try write(trajectory, window, length: length)
      }
      job.spent(.contraction, since: clock)
      job.finished(1)
    }
    if sweep.isPulledBack {
      try pullBack(&trajectory, windows, length: length)
    } else {
      try writeRest(trajectory, length: length)
    }
  }

  /// Zeros where tangents begin, and rows.
  func clearState() {
    var state = workspace.mutable(layout.state)
    for i in state.indices { state[i] = 0 }
  }
}

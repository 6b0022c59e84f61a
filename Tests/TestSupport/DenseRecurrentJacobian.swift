package import Jacobians

/// ∂y(n)/∂w of every sequence at the steps asked for, multiplied out by the seed's recursion, for what is made of it.
package struct DenseRecurrentJacobian {
  /// J[b][row of the time axis][o]; a step that a sequence does not have gives no rows but nil.
  package let rows: [[[[Double]]?]]
  /// y of all outputs, likewise.
  package let outputs: [[[Double]?]]
  private let chosen: [Int]

  /// Multiplies out rows of some outputs at some steps, for some parameters.
  package init<T: Scalar>(
    _ problem: RecurrentProblem<T>, parameters: [Parameter], outputs chosen: [Int],
    selection: StepSelection
  ) {
    self.chosen = chosen
    let plain = PlainNetwork(problem.network)
    let axis = 0..<selection.count(of: problem.shape.steps)
    var rows: [[[[Double]]?]] = []
    var outputs: [[[Double]?]] = []
    for b in 0..<problem.shape.batch {
      let length = problem.shape.length(b)
      let sequence = PlainRecurrence(
        plain, parameters: parameters, units: problem.recurrence.units,
        inputs: problem.inputs(of: b), initialState: problem.initialState(of: b))
      let steps = axis.map { selection.step(at: $0, length: length) }
      rows.append(
        steps.map { n in
          n < length ? chosen.map { sequence.stateJacobians[n][$0] } : nil
        })
      outputs.append(
        steps.map { n in
          n < length ? Array(sequence.states[n][..<sequence.outputs]) : nil
        })
    }
    self.rows = rows
    self.outputs = outputs
  }

  /// Every (sequence, row of the time axis) that is there.
  package var present: [(sequence: Int, row: Int)] {
    var all: [(sequence: Int, row: Int)] = []
    for b in rows.indices {
      for n in rows[b].indices where rows[b][n] != nil { all.append((b, n)) }
    }
    return all
  }

  /// J V at every step, zero where there is none: (B, K, T, m).
  package func products(_ vectors: [[Double]]) -> [Double] {
    var all: [Double] = []
    for sequence in rows {
      for v in vectors {
        for step in sequence {
          let zeros = [[Double]](repeating: [], count: chosen.count)
          for row in step ?? zeros { all.append(Self.inner(row, v)) }
        }
      }
    }
    return all
  }

  /// ⟨a, b⟩.
  package static func inner(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for (x, y) in zip(a, b) { sum += x * y }
    return sum
  }

  /// H at a step, of the outputs asked for: I, or diag p − p pᵀ.
  package func hessian(_ sequence: Int, _ row: Int, isCrossEntropy: Bool) -> [[Double]] {
    let p = PlainNetwork.values(.softmax, outputs[sequence][row] ?? [])
    return chosen.map { (o: Int) -> [Double] in
      chosen.map { (q: Int) -> Double in
        let one: Double = o == q ? 1 : 0
        return isCrossEntropy ? p[o] * (one - p[q]) : one
      }
    }
  }

  /// Σ_b Σ_n J_b(n)ᵀ H_b(n) J_b(n), for so many columns.
  package func gaussNewton(columns: Int, isCrossEntropy: Bool) -> [[Double]] {
    var sum = [[Double]](repeating: [Double](repeating: 0, count: columns), count: columns)
    for (b, n) in present {
      let j = rows[b][n] ?? []
      let h = hessian(b, n, isCrossEntropy: isCrossEntropy)
      for (o, row) in j.enumerated() {
        // H J first: one outer product for each output.
        var moved = [Double](repeating: 0, count: columns)
        for (q, other) in j.enumerated() where h[o][q] != 0 {
          for k in 0..<columns { moved[k] += h[o][q] * other[k] }
        }
        for i in 0..<columns where row[i] != 0 {
          for k in 0..<columns { sum[i][k] += row[i] * moved[k] }
        }
      }
    }
    return sum
  }
}

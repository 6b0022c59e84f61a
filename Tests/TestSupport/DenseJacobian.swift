package import Jacobians

/// ∂y/∂w of every sample multiplied out, by the plain formulas, for what is made of it.
package struct DenseJacobian {
  /// J[b][o], each row with the columns of the parameters asked for.
  package let rows: [[[Double]]]
  /// y of all outputs.
  package let outputs: [[Double]]
  private let chosen: [Int]

  /// Multiplies out rows of some outputs, for some parameters.
  package init<T: Scalar>(_ problem: Problem<T>, parameters: [Parameter], outputs chosen: [Int]) {
    let plain = PlainNetwork(problem.network)
    let x = (0..<problem.batch).map { problem.input($0) }
    self.chosen = chosen
    outputs = x.map { plain.outputs($0) }
    rows = x.map { x in
      var rows = chosen.map { _ in [Double]() }
      for parameter in parameters {
        let whole = plain.jacobian(parameter, x)
        for (r, o) in chosen.enumerated() { rows[r] += whole[o] }
      }
      return rows
    }
  }

  /// H of one sample, of the outputs asked for: I, or diag p − p pᵀ.
  package func hessian(_ sample: Int, isCrossEntropy: Bool) -> [[Double]] {
    let p = PlainNetwork.values(.softmax, outputs[sample])
    return chosen.map { o in
      chosen.map { q in
        isCrossEntropy ? p[o] * ((o == q ? 1 : 0) - p[q]) : o == q ? 1 : 0
      }
    }
  }

  /// Σ_b J_bᵀ H_b J_b.
  package func gaussNewton(isCrossEntropy: Bool) -> [[Double]] {
    let columns = rows[0][0].indices
    var sum = columns.map { _ in columns.map { _ in 0.0 } }
    for (b, j) in rows.enumerated() {
      let h = hessian(b, isCrossEntropy: isCrossEntropy)
      for (o, row) in j.enumerated() {
        for (q, other) in j.enumerated() where h[o][q] != 0 {
          for i in columns {
            let factor = h[o][q] * row[i]
            for k in columns { sum[i][k] += factor * other[k] }
          }
        }
      }
    }
    return sum
  }

  /// J v of every sample.
  package func product(_ v: [Double]) -> [[Double]] {
    rows.map { $0.map { row in zip(row, v).reduce(0) { $0 + $1.0 * $1.1 } } }
  }
}

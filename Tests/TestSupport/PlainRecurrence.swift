package import Jacobians

/// The seed's recursion for one sequence, one number at a time: ∂z(n)/∂w = ∂f/∂w + ∂f/∂r Γ_r ∂z(n−1)/∂w.
package struct PlainRecurrence {
  /// z(n).
  package private(set) var states: [[Double]] = []
  /// ∂z(n)/∂w, |z| rows of P; columns W1, b1, ….
  package private(set) var stateJacobians: [[[Double]]] = []
  /// ∂z(n)/∂v_k(n), at [n][k − 1].
  package private(set) var localGradients: [[[[Double]]]] = []
  /// ∂z(n)/∂r(n−1), |z| rows of R.
  package private(set) var transitions: [[[Double]]] = []
  /// ∂z(n)/∂r(0).
  package private(set) var initialJacobians: [[[Double]]] = []
  /// ∂z(n)/∂x(l), at [n][l], zero for l > n.
  package private(set) var inputJacobians: [[[[Double]]]] = []
  /// |y|.
  package let outputs: Int

  /// Runs through a sequence of inputs from r(0).
  package init(
    _ plain: PlainNetwork, parameters: [Parameter], units: Int, inputs: [[Double]],
    initialState: [Double]
  ) {
    var r = initialState
    let z = plain.layers[plain.layers.count - 1].weights.count
    outputs = z - units
    let m = z - units
    var columns = 0
    for (n, x) in inputs.enumerated() {
      let a = x + r
      let state = plain.outputs(a)
      let whole = plain.localGradient(0, a)
      let transition = whole.map { Array($0[x.count...]) }
      var direct = [[Double]](repeating: [], count: z)
      for parameter in parameters {
        for (o, row) in plain.jacobian(parameter, a).enumerated() { direct[o] += row }
      }
      columns = direct[0].count
      if n > 0 {
        let before = stateJacobians[n - 1]
        for o in 0..<z {
          for q in 0..<units {
            let factor = transition[o][q]
            for p in 0..<columns { direct[o][p] += factor * before[m + q][p] }
          }
        }
      }
      stateJacobians.append(direct)
      var inputRows: [[[Double]]] = (0..<n).map { l in
        PlainNetwork.product(transition, Array(inputJacobians[n - 1][l][m...]))
      }
      inputRows.append(whole.map { Array($0[..<x.count]) })
      while inputRows.count < inputs.count {
        inputRows.append(whole.map { _ in [Double](repeating: 0, count: x.count) })
      }
      inputJacobians.append(inputRows)
      initialJacobians.append(
        n == 0
          ? transition : PlainNetwork.product(transition, Array(initialJacobians[n - 1][m...])))
      transitions.append(transition)
      localGradients.append((1...plain.layers.count).map { plain.localGradient($0, a) })
      states.append(state)
      r = Array(state[m...])
    }
  }

  /// E = ½ Σ ‖y − d‖².
  package func loss(_ targets: [[Double]]) -> Double {
    zip(states, targets).reduce(0) { sum, pair in
      sum + (0..<outputs).reduce(0) { $0 + (pair.0[$1] - pair.1[$1]) * (pair.0[$1] - pair.1[$1]) }
        / 2
    }
  }

  /// Σ_n (y(n) − d(n))ᵀ ∂y(n)/∂w.
  package func lossGradient(_ targets: [[Double]]) -> [Double] {
    var sum = [Double](repeating: 0, count: stateJacobians[0][0].count)
    for (n, d) in targets.enumerated() {
      for o in 0..<outputs {
        let u = states[n][o] - d[o]
        for p in sum.indices { sum[p] += u * stateJacobians[n][o][p] }
      }
    }
    return sum
  }
}

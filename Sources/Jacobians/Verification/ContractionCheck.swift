/// A contraction of J that a job asks for, computed by the engine of a few units and compared with rows of J in plain arithmetic.
///
/// A unit is a sample, or a step of a sequence. The rows themselves are what the other checks compare with backpropagation and finite
/// differences; vectors are seeded random numbers, sums go over the units looked at.
package struct ContractionCheck: Sendable {
  /// The gradients that are looked at.
  package static let names: Set<String> = [
    "jvp", "vjp", "gauss-newton-diagonal", "gauss-newton-product", "gauss-newton",
    "neural-tangent-kernel", "norms", "singular-values",
  ]
  /// At most so many outputs of a unit are looked at.
  package static let mostOutputs = 4
  /// Rows of more numbers together are not looked at.
  package static let mostNumbers = 1 << 22

  /// What the engine is asked for.
  package let request: GradientRequest
  /// The columns of the rows, in the network's order.
  package let parameters: [Parameter]
  /// What goes with the request as `gradients[0].vectors`.
  package let vectors: [Double]
  private let sizes: [Int]
  private let outputs: [Int]
  private let isCrossEntropy: Bool
  private let isFull: Bool

  /// The check of a request at units of that shape, or nil if there is none: of another gradient, of ∂y/∂x alone.
  package init?(_ asked: GradientRequest, of network: NetworkShape, outputs: [Int], units: [Int]) {
    guard ContractionCheck.names.contains(asked.name),
      asked.options["jacobians"] != .texts(["input-jacobian"])
    else { return nil }
    let all = network.parameters
    var parameters = all
    if case .texts(let names) = asked.options["parameters"] {
      parameters = all.filter { names.contains($0.description) }
    }
    self.parameters = parameters
    self.outputs = outputs
    sizes = parameters.map { network.count(of: $0) }
    let columns = sizes.reduce(0, +)
    isCrossEntropy = asked.options["loss"] == .text(OutputLoss.softmaxCrossEntropy.rawValue)
    isFull = asked.options["form"] != .text(NeuralTangentKernel.Form.perOutput.rawValue)
    var options = asked.options.filter { ["parameters", "loss", "form"].contains($0.key) }
    options["outputs"] = .integers(outputs)
    var random = SplitMix(seed: 0x2545_f491_4f6c_dd1d)
    switch asked.name {
    case "jvp", "gauss-newton-product":
      options["vectors"] = .array(shape: [columns])
      vectors = (0..<columns).map { _ in random.number() }
    case "vjp":
      options["vectors"] = .array(shape: units + [outputs.count])
      let count = units.reduce(outputs.count, *)
      vectors = (0..<count).map { _ in random.number() }
    case "gauss-newton": vectors = (0..<columns).map { _ in random.number() }
    case "singular-values":
      options["jacobians"] = .texts(["parameter-jacobian"])
      vectors = []
    default: vectors = []
    }
    request = GradientRequest(name: asked.name, options: options)
  }

  /// The vectors as a problem's array.
  package func operands<T: Scalar>(_ type: T.Type) -> [String: Values<T>] {
    ["gradients[0].vectors": Values(vectors.map { T($0) })]
  }

  /// The largest difference relative to the largest term, or nil where rows are not finite.
  ///
  /// `arrays` is what the engine gave, `rows` is J[unit][output] with the columns of `parameters`, `logits` all y of each unit.
  package func error(of arrays: [[Double]], rows: [[[Double]]], logits: [[Double]]) -> Double? {
    var largest = 0.0
    for unit in rows {
      for row in unit {
        for entry in row { largest = max(largest, entry.isNaN ? .infinity : abs(entry)) }
      }
    }
    guard largest.isFinite, logits.allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return nil }
    let (actual, expected, power) = comparison(arrays, rows, logits)
    guard actual.count == expected.count else { return .infinity }
    var scale = max(.leastNormalMagnitude, power == 1 ? largest : largest * largest)
    var worst = 0.0
    for (a, e) in zip(actual, expected) {
      scale = max(scale, abs(e))
      let difference = abs(a - e)
      worst = difference.isNaN ? .infinity : max(worst, difference)
    }
    return worst / scale
  }

  /// What is compared, and how many factors of J its terms have.
  private func comparison(
    _ arrays: [[Double]], _ rows: [[[Double]]], _ logits: [[Double]]
  ) -> (actual: [Double], expected: [Double], power: Int) {
    let given = arrays.flatMap(\.self)
    let columns = sizes.reduce(0, +)
    switch request.name {
    case "jvp": return (given, rows.flatMap { $0.map { inner($0, vectors) } }, 1)
    case "vjp":
      var sum = [Double](repeating: 0, count: columns)
      for (i, row) in rows.joined().enumerated() { add(row, times: vectors[i], to: &sum) }
      return (given, sum, 1)
    case "gauss-newton-product": return (given, product(rows, logits), 2)
    case "gauss-newton":
      let moved = (0..<columns).map { i in
        inner(Array(given[i * columns..<(i + 1) * columns]), vectors)
      }
      return (moved, product(rows, logits), 2)
    case "gauss-newton-diagonal":
      var sum = [Double](repeating: 0, count: columns)
      for (unit, y) in zip(rows, logits) {
        let h = hessian(y)
        for (o, row) in unit.enumerated() {
          for (q, other) in unit.enumerated() {
            for c in 0..<columns { sum[c] += h[o][q] * row[c] * other[c] }
          }
        }
      }
      return (given, sum, 2)
    case "neural-tangent-kernel":
      var theta: [Double] = []
      if isFull {
        let all = Array(rows.joined())
        for row in all { for other in all { theta.append(inner(row, other)) } }
      } else {
        for o in outputs.indices {
          for unit in rows { for other in rows { theta.append(inner(unit[o], other[o])) } }
        }
      }
      return (given, theta, 2)
    case "norms":
      var norms: [Double] = []
      var first = 0
      for size in sizes {
        for row in rows.joined() {
          let part = Array(row[first..<first + size])
          norms.append(inner(part, part).squareRoot())
        }
        first += size
      }
      return (given, norms, 1)
    default:
      // Singular values by what they add up to: ‖J‖² and ‖J Jᵀ‖.
      let rank = given.count / max(1, rows.count)
      var actual: [Double] = []
      var expected: [Double] = []
      for (place, unit) in rows.enumerated() {
        let squares = given[place * rank..<(place + 1) * rank].map { $0 * $0 }
        actual += [squares.reduce(0, +), inner(squares, squares).squareRoot()]
        var trace = 0.0
        var norm = 0.0
        for (o, row) in unit.enumerated() {
          for (q, other) in unit.enumerated() {
            let entry = inner(row, other)
            if o == q { trace += entry }
            norm += entry * entry
          }
        }
        expected += [trace, norm.squareRoot()]
      }
      return (actual, expected, 2)
    }
  }

  /// Σ Jᵀ H J v over units.
  private func product(_ rows: [[[Double]]], _ logits: [[Double]]) -> [Double] {
    var sum = [Double](repeating: 0, count: sizes.reduce(0, +))
    for (unit, y) in zip(rows, logits) {
      let moved = unit.map { inner($0, vectors) }
      for (h, row) in zip(hessian(y), unit) { add(row, times: inner(h, moved), to: &sum) }
    }
    return sum
  }

  /// H of the outputs looked at: I, or diag p − p pᵀ with p = softmax of all outputs.
  private func hessian(_ y: [Double]) -> [[Double]] {
    let largest = y.max() ?? 0
    let powers = y.map { Double.exp($0 - largest) }
    let total = powers.reduce(0, +)
    return outputs.map { o in
      outputs.map { q in
        let one: Double = o == q ? 1 : 0
        return isCrossEntropy ? powers[o] / total * (one - powers[q] / total) : one
      }
    }
  }

  private func inner(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for (x, y) in zip(a, b) { sum += x * y }
    return sum
  }

  private func add(_ row: [Double], times factor: Double, to sum: inout [Double]) {
    for i in row.indices { sum[i] += factor * row[i] }
  }
}

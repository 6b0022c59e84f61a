import Jacobians
import TestSupport
import Testing

/// What is made of ∂y(n)/∂w through time, against the seed's recursion multiplied out.
@Suite struct RecurrentContractionTests {
  /// A random recurrent network with random requests.
  struct Draw {
    let problem: RecurrentProblem<Double>
    let parameters: [Parameter]
    let outputs: [Int]
    let selection: StepSelection
    let vectors: [[Double]]
    let cotangents: [Double]
    let isCrossEntropy: Bool
    let isPerSample: Bool
    let threads: Int
    let strategy: RecurrentStrategy?
    let isFull: Bool
    let others: RecurrentProblem<Double>?

    init(seed: UInt64) {
      var random = SeededGenerator(seed: seed)
      func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
      let depth = draw(1...3)
      let units = draw(1...3)
      var widths = (0...depth).map { _ in draw(1...6) }
      widths[0] = units + draw(1...3)
      widths[depth] = units + draw(1...4)
      var activations = (0..<depth).map { _ in
        ActivationTests.all.randomElement(using: &random) ?? .identity
      }
      isCrossEntropy = Bool.random(using: &random)
      if isCrossEntropy && activations[depth - 1] == .softmax { activations[depth - 1] = .tanh }
      let batch = draw(1...4)
      let steps = draw(1...7)
      let lengths = Bool.random(using: &random) ? (0..<batch).map { _ in draw(1...steps) } : nil
      let base = RecurrentProblem<Double>.random(
        seed: seed &+ 3000, widths: widths, units: units, activations: activations,
        biases: (0..<depth).map { _ in Bool.random(using: &random) }, batch: batch, steps: steps,
        lengths: lengths, hasInitialState: Bool.random(using: &random), scale: 1)
      let shape = base.network.shape
      let some = shape.parameters.filter { _ in Bool.random(using: &random) }
      let parameters = some.isEmpty ? shape.parameters : some
      self.parameters = parameters
      let m = widths[depth] - units
      outputs = Array((0..<m).shuffled(using: &random).prefix(draw(1...m)))
      switch draw(0...2) {
      case 0: selection = .all
      case 1: selection = .last
      default:
        let list = (0..<steps).filter { _ in Bool.random(using: &random) }
        selection = list.isEmpty ? .all : .some(list)
      }
      let columns = parameters.reduce(0) { $0 + shape.count(of: $1) }
      let count = draw(1...5)
      vectors = (0..<count).map { _ in random.numbers(columns) }
      cotangents = random.numbers(
        batch * count * selection.count(of: steps) * outputs.count)
      isPerSample = Bool.random(using: &random)
      threads = draw(1...3)
      strategy = [nil, .forward, .adjoint, .blocked].randomElement(using: &random) ?? nil
      isFull = Bool.random(using: &random)
      let hasOthers = Bool.random(using: &random)
      let otherBatch = draw(1...3)
      let x = random.numbers(otherBatch * steps * (widths[0] - units))
      let r = random.numbers(otherBatch * units)
      others =
        hasOthers
        ? RecurrentProblem(
          network: base.network, recurrence: base.recurrence,
          shape: SequenceShape(batch: otherBatch, steps: steps), inputs: Values(x),
          initialState: Values(r), targets: nil) : nil
      problem = base.with([
        "gradients[0].vectors": Values(vectors.flatMap(\.self)),
        "gradients[1].vectors": Values(cotangents),
        "gradients[2].vectors": Values(vectors.flatMap(\.self)),
        "gradients[7].other_inputs": Values(x), "gradients[7].other_initial_state": Values(r),
      ])
    }

    /// The requests, in the order of the operands' places.
    var requests: [GradientRequest] {
      var subset: [String: GradientRequest.Option] = [
        "parameters": .texts(parameters.map(\.description)), "outputs": .integers(outputs),
      ]
      switch selection {
      case .all: break
      case .last: subset["steps"] = .text("last")
      case .some(let list): subset["steps"] = .integers(list.map { $0 + 1 })
      }
      let loss = GradientRequest.Option.text(
        isCrossEntropy ? "softmax-cross-entropy" : "squared-error")
      let directions = GradientRequest.Option.array(shape: [vectors.count, vectors[0].count])
      let u = GradientRequest.Option.array(
        shape: [problem.shape.batch, vectors.count] + selection.axis(of: problem.shape.steps)
          + [outputs.count])
      func request(
        _ name: String, _ options: [String: GradientRequest.Option] = [:]
      ) -> GradientRequest {
        GradientRequest(name: name, options: subset.merging(options) { $1 })
      }
      var kernel: [String: GradientRequest.Option] = [
        "form": .text(isFull ? "full" : "per-output")
      ]
      if let others {
        let width = others.network.shape.outerInputs(others.recurrence)
        kernel["other_inputs"] = .array(
          shape: [others.shape.batch, others.shape.steps, width])
        kernel["other_initial_state"] = .array(
          shape: [others.shape.batch, others.recurrence.units])
      }
      return [
        request("jvp", ["vectors": directions]),
        request("vjp", ["vectors": u, "per_sample": .flag(isPerSample)]),
        request("gauss-newton-product", ["loss": loss, "vectors": directions]),
        request("gauss-newton-diagonal", ["loss": loss]), request("gauss-newton", ["loss": loss]),
        request("norms"), request("singular-values"), request("neural-tangent-kernel", kernel),
      ]
    }
  }

  // At most seven steps of three layers of seven units: some hundred roundings, relative to the largest entry.
  @Test(arguments: UInt64(0)..<120)
  func `every contraction of a random network agrees with the Jacobian multiplied out`(
    _ seed: UInt64
  ) throws {
    let draw = Draw(seed: seed)
    let problem = draw.problem
    let shape = problem.network.shape
    let results = try RecurrentResults(
      draw.requests, on: problem, threads: draw.threads, strategy: draw.strategy)
    let j = DenseRecurrentJacobian(
      problem, parameters: draw.parameters, outputs: draw.outputs, selection: draw.selection)
    func expect(_ actual: [Double], _ expected: [Double], _ what: String) {
      let error = relativeError(actual, expected)
      #expect(error < 1e-11, "\(what) of \(shape.layers): \(error)")
    }
    let (batch, m, count) = (problem.shape.batch, draw.outputs.count, draw.vectors.count)
    let axis = draw.selection.count(of: problem.shape.steps)
    let columns = draw.vectors[0].count
    // 1. J V, (B, K, T, m).
    expect(results["jvp"], j.products(draw.vectors), "jvp")
    // 2. uᵀJ, 3. G V, cut into parameters.
    let g = j.gaussNewton(columns: columns, isCrossEntropy: draw.isCrossEntropy)
    var pulled = [[[Double]]](
      repeating: [[Double]](
        repeating: [Double](repeating: 0, count: columns), count: count), count: batch)
    for (b, n) in j.present {
      for k in 0..<count {
        for (r, row) in (j.rows[b][n] ?? []).enumerated() {
          let u = draw.cotangents[((b * count + k) * axis + n) * m + r]
          for i in row.indices { pulled[b][k][i] += u * row[i] }
        }
      }
    }
    var summed = [[Double]](repeating: [Double](repeating: 0, count: columns), count: count)
    for own in pulled {
      for k in 0..<count { for i in 0..<columns { summed[k][i] += own[k][i] } }
    }
    let moved = draw.vectors.map { v in g.map { DenseRecurrentJacobian.inner($0, v) } }
    var start = 0
    for parameter in draw.parameters {
      let part = start..<start + shape.count(of: parameter)
      start = part.upperBound
      let vjp: [[Double]] = draw.isPerSample ? pulled.flatMap(\.self) : summed
      expect(results["vjp/\(parameter)"], vjp.flatMap { $0[part] }, "vjp, \(parameter)")
      expect(
        results["gauss-newton-product/\(parameter)"], moved.flatMap { $0[part] },
        "product, \(parameter)")
      expect(
        results["gauss-newton-diagonal/\(parameter)"], part.map { g[$0][$0] },
        "diagonal, \(parameter)")
      // 4. Norms, zero where there is no step.
      var norms: [Double] = []
      for step in j.rows.flatMap(\.self) {
        for o in 0..<m {
          let row = step.map { Array($0[o][part]) } ?? []
          norms.append(DenseRecurrentJacobian.inner(row, row).squareRoot())
        }
      }
      expect(results["norms/\(parameter)"], norms, "norms, \(parameter)")
    }
    // 5. G whole, symmetric to the bit.
    let matrix = results["gauss-newton"]
    expect(matrix, g.flatMap(\.self), "gauss-newton")
    for i in 0..<columns {
      for k in 0..<i { #expect(matrix[i * columns + k] == matrix[k * columns + i]) }
    }
    // 6. The squares of the singular values are the eigenvalues of J Jᵀ: their sum, and that of their squares.
    let values = results["singular-values/parameter-jacobian"]
    let rank = min(m, columns)
    for (place, step) in j.rows.flatMap(\.self).enumerated() {
      let own = values[place * rank..<(place + 1) * rank].map { $0 * $0 }
      #expect(own == own.sorted(by: >))
      var trace = 0.0
      var squares = 0.0
      for (o, row) in (step ?? []).enumerated() {
        for (q, other) in (step ?? []).enumerated() {
          let entry = DenseRecurrentJacobian.inner(row, other)
          if o == q { trace += entry }
          squares += entry * entry
        }
      }
      expect([own.reduce(0, +)], [trace], "trace of J Jᵀ")
      expect([DenseRecurrentJacobian.inner(own, own)], [squares], "trace of (J Jᵀ)²")
    }
    // 7. Θ, zero where there is no step; between the same sequences symmetric to the bit.
    let other =
      draw.others.map {
        DenseRecurrentJacobian(
          $0, parameters: draw.parameters, outputs: draw.outputs, selection: draw.selection)
      } ?? j
    let rows = j.rows.flatMap(\.self)
    let others = other.rows.flatMap(\.self)
    var theta: [Double] = []
    if draw.isFull {
      for step in rows {
        for o in 0..<m {
          for column in others {
            for q in 0..<m {
              theta.append(DenseRecurrentJacobian.inner(step?[o] ?? [], column?[q] ?? []))
            }
          }
        }
      }
    } else {
      for o in 0..<m {
        for step in rows {
          for column in others {
            theta.append(DenseRecurrentJacobian.inner(step?[o] ?? [], column?[o] ?? []))
          }
        }
      }
    }
    let kernel = results["neural-tangent-kernel"]
    expect(kernel, theta, "neural tangent kernel")
    if draw.others == nil && draw.isFull {
      let n = rows.count * m
      for i in 0..<n { for k in 0..<i { #expect(kernel[i * n + k] == kernel[k * n + i]) } }
    }
  }

  @Test(arguments: UInt64(200)..<212)
  func `contractions have the same bytes for any number of threads`(_ seed: UInt64) throws {
    let draw = Draw(seed: seed)
    let one = try RecurrentResults(draw.requests, on: draw.problem, strategy: draw.strategy)
    for threads in 2...7 {
      let other = try RecurrentResults(
        draw.requests, on: draw.problem, threads: threads, strategy: draw.strategy)
      for path in one.paths {
        let isSame = one[path].map(\.bitPattern) == other[path].map(\.bitPattern)
        #expect(isSame, "\(threads) threads, \(path)")
      }
    }
  }

  /// Several blocks of rows of Θ, several rounds of rows that pass.
  @Test(arguments: [false, true])
  func `a kernel of several blocks agrees with the Jacobian multiplied out`(
    _ isFull: Bool
  ) throws {
    let problem = RecurrentProblem<Double>.random(
      seed: 41, widths: [120, 200, 36], units: 30, activations: [.tanh, .tanh], batch: 2,
      steps: 60, lengths: [60, 47], scale: 0.5)
    let results = try RecurrentResults(
      [
        GradientRequest(
          name: "neural-tangent-kernel",
          options: [
            "parameters": .texts(["W1", "b2"]), "form": .text(isFull ? "full" : "per-output"),
          ])
      ], on: problem, threads: 2)
    #expect(results.plan.strategy.contains("kernel of 3"))
    let dense = try RecurrentResults(
      [
        GradientRequest(
          name: "parameter-jacobian",
          options: ["parameters": .texts(["W1", "b2"]), "layout": .text("matrix")])
      ], on: problem)["parameter-jacobian"]
    let m = 6
    let n = 2 * 60 * m
    let columns = dense.count / n
    func inner(_ i: Int, _ k: Int) -> Double {
      var sum = 0.0
      for c in 0..<columns { sum += dense[i * columns + c] * dense[k * columns + c] }
      return sum
    }
    let theta = results["neural-tangent-kernel"]
    var worst = 0.0
    var scale = 1.0
    for i in stride(from: 0, to: n, by: 37) {
      for k in stride(from: 0, to: n, by: 11) where isFull || i % m == k % m {
        let expected = inner(i, k)
        let row: Int = isFull ? i : (i % m) * (n / m) + i / m
        let place: Int = isFull ? row * n + k : row * (n / m) + k / m
        worst = max(worst, abs(theta[place] - expected))
        scale = max(scale, abs(expected))
      }
    }
    #expect(worst < 1e-11 * scale)
  }

  /// More outputs than a group usually has rows, several groups in a round, several windows.
  @Test(arguments: [nil, RecurrentStrategy.forward, .adjoint, .blocked])
  func `rows of many outputs and steps are taken whole`(_ strategy: RecurrentStrategy?) throws {
    for (widths, units, steps) in [([4, 72], 2, 4), ([5, 6, 6], 3, 130)] {
      let problem = RecurrentProblem<Double>.random(
        seed: 31, widths: widths, units: units,
        activations: [Activation](repeating: .tanh, count: widths.count - 1), batch: 2,
        steps: steps, lengths: [steps, steps - 1], scale: 1)
      let m = widths[widths.count - 1] - units
      let parameter = Parameter(kind: .weights, layer: 1)
      let results = try RecurrentResults(
        [
          GradientRequest(
            name: "gauss-newton",
            options: ["loss": .text("softmax-cross-entropy"), "parameters": .texts(["W1"])]),
          GradientRequest(name: "norms", options: ["parameters": .texts(["W1"])]),
        ], on: problem, threads: 2, strategy: strategy)
      let j = DenseRecurrentJacobian(
        problem, parameters: [parameter], outputs: Array(0..<m), selection: .all)
      let g = j.gaussNewton(
        columns: problem.network.shape.count(of: parameter), isCrossEntropy: true)
      #expect(relativeError(results["gauss-newton"], g.flatMap(\.self)) < 1e-11)
      var norms: [Double] = []
      for step in j.rows.flatMap(\.self) {
        for o in 0..<m {
          let row = step?[o] ?? []
          norms.append(DenseRecurrentJacobian.inner(row, row).squareRoot())
        }
      }
      #expect(relativeError(results["norms/W1"], norms) < 1e-11)
    }
  }

  /// With u = y − d, uᵀJ is the loss gradient; ⟨u, J v⟩ = ⟨Jᵀu, v⟩; V Jᵀ J V = ‖J V‖²; all over several windows.
  @Test func `products over windows that are computed twice fit together`() throws {
    let (batch, steps, m) = (2, 500, 3)
    let base = RecurrentProblem<Double>.random(
      seed: 21, widths: [6, 9, 7], units: 4, activations: [.tanh, .tanh], batch: batch,
      steps: steps, lengths: [500, 437])
    var random = SeededGenerator(seed: 22)
    let v = random.numbers(base.network.shape.parameterCount)
    let outputs = try RecurrentResults([GradientRequest(name: "outputs")], on: base)["outputs"]
    let u = zip(outputs, base.targets?.array ?? []).map { $0 - $1 }
    let problem = base.with([
      "gradients[0].vectors": Values(v), "gradients[1].vectors": Values(u),
      "gradients[2].vectors": Values(v),
    ])
    let requests = [
      GradientRequest(name: "jvp", options: ["vectors": .array(shape: [v.count])]),
      GradientRequest(name: "vjp", options: ["vectors": .array(shape: [batch, steps, m])]),
      GradientRequest(
        name: "gauss-newton-product", options: ["vectors": .array(shape: [v.count])]),
      GradientRequest(name: "loss-gradient"),
    ]
    let whole = try RecurrentResults(requests, on: problem)
    // J V itself is not cut into windows by memory, as nothing is computed twice for it.
    let rest = Array(requests.dropFirst())
    let others = base.with([
      "gradients[0].vectors": Values(u), "gradients[1].vectors": Values(v),
    ])
    let uncut = try RecurrentResults(rest, on: others).plan
    let own = uncut.peakMemory(threads: 1) - uncut.problemBytes - (5 << 20)
    let cut = try RecurrentResults(
      rest, on: others, memory: uncut.problemBytes + (5 << 20) + own / 2)
    #expect(cut.plan.strategy.contains("all but the last computed twice"))
    let parameters = base.network.shape.parameters
    for path in cut.paths {
      #expect(relativeError(cut[path], whole[path]) < 1e-12, "\(path) over windows")
    }
    for parameter in parameters {
      let error = relativeError(cut["vjp/\(parameter)"], cut["loss-gradient/\(parameter)"])
      #expect(error < 1e-12, "\(parameter)")
    }
    func along(_ name: String) -> Double {
      DenseRecurrentJacobian.inner(parameters.flatMap { cut["\(name)/\($0)"] }, v)
    }
    let jv = whole["jvp"]
    // Steps beyond the second sequence's end count for nothing.
    let isZero = jv[(steps + 437) * m..<2 * steps * m].allSatisfy { $0 == 0 }
    #expect(isZero)
    let pulled = DenseRecurrentJacobian.inner(jv, u)
    #expect(abs(pulled - along("vjp")) < 1e-11 * max(1, abs(pulled)))
    let norm = DenseRecurrentJacobian.inner(jv, jv)
    #expect(abs(norm - along("gauss-newton-product")) < 1e-11 * norm)
  }
}

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
      problem = base.with([
        "gradients[0].vectors": Values(vectors.flatMap(\.self)),
        "gradients[1].vectors": Values(cotangents),
        "gradients[2].vectors": Values(vectors.flatMap(\.self)),
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
      return [
        request("jvp", ["vectors": directions]),
        request("vjp", ["vectors": u, "per_sample": .flag(isPerSample)]),
        request("gauss-newton-product", ["loss": loss, "vectors": directions]),
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

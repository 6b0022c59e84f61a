import Jacobians
import TestSupport
import Testing

/// Products with J, Gauss–Newton matrices, kernels, norms and singular values against the Jacobian multiplied out.
@Suite struct ContractionTests {
  /// A random network with random requests.
  struct Draw {
    let problem: Problem<Double>
    let parameters: [Parameter]
    let outputs: [Int]
    let vectors: [[Double]]
    let cotangents: [Double]
    let others: Problem<Double>
    let isCrossEntropy: Bool
    let isFull: Bool
    let hasOthers: Bool
    let isPerSample: Bool
    let threads: Int
    let blockSamples: Int?

    init(seed: UInt64) {
      var random = SeededGenerator(seed: seed)
      let depth = Int.random(in: 1...4, using: &random)
      let widths = (0...depth).map { _ in Int.random(in: 1...6, using: &random) }
      var activations = (0..<depth).map { _ in
        ActivationTests.all.randomElement(using: &random) ?? .identity
      }
      isCrossEntropy = Bool.random(using: &random)
      if isCrossEntropy && activations[depth - 1] == .softmax { activations[depth - 1] = .tanh }
      let biases = (0..<depth).map { _ in Bool.random(using: &random) }
      let batch = Int.random(in: 1...13, using: &random)
      let base = Problem<Double>.random(
        seed: seed &+ 2000, widths: widths, activations: activations, biases: biases, batch: batch,
        scale: 1.5)
      let otherBatch = Int.random(in: 1...9, using: &random)
      let x2 = random.numbers(otherBatch * widths[0], scale: 1.5)
      others = Problem(
        network: base.network, inputs: Values(x2), targets: nil, batch: otherBatch)
      let all = base.network.shape.parameters
      let some = all.filter { _ in Bool.random(using: &random) }
      let parameters = some.isEmpty ? all : some
      self.parameters = parameters
      let m = widths[depth]
      outputs = Array(
        (0..<m).shuffled(using: &random).prefix(Int.random(in: 1...m, using: &random)))
      let columns = parameters.reduce(0) { $0 + base.network.shape.count(of: $1) }
      let count = Int.random(in: 1...3, using: &random)
      vectors = (0..<count).map { _ in random.numbers(columns) }
      cotangents = random.numbers(batch * count * outputs.count)
      isFull = Bool.random(using: &random)
      hasOthers = Bool.random(using: &random)
      isPerSample = Bool.random(using: &random)
      threads = Int.random(in: 1...3, using: &random)
      blockSamples = Bool.random(using: &random) ? Int.random(in: 1...5, using: &random) : nil
      problem = Problem(
        network: base.network, inputs: base.inputs, targets: base.targets, batch: batch,
        operands: [
          "gradients[0].vectors": Values(vectors.flatMap(\.self)),
          "gradients[1].vectors": Values(cotangents),
          "gradients[3].vectors": Values(vectors.flatMap(\.self)),
          "gradients[5].other_inputs": Values(x2),
        ])
    }

    /// The requests, in the order of the operands' places.
    var requests: [GradientRequest] {
      let subset: [String: GradientRequest.Option] = [
        "parameters": .texts(parameters.map(\.description)), "outputs": .integers(outputs),
      ]
      let loss = GradientRequest.Option.text(
        isCrossEntropy ? "softmax-cross-entropy" : "squared-error")
      let directions = GradientRequest.Option.array(shape: [vectors.count, vectors[0].count])
      let u = GradientRequest.Option.array(
        shape: [problem.batch, vectors.count, outputs.count])
      var kernel = subset
      kernel["form"] = .text(isFull ? "full" : "per-output")
      if hasOthers {
        kernel["other_inputs"] = .array(shape: [others.batch, problem.network.shape.inputs])
      }
      func request(
        _ name: String, _ options: [String: GradientRequest.Option] = [:]
      ) -> GradientRequest {
        GradientRequest(name: name, options: subset.merging(options) { $1 })
      }
      return [
        request("jvp", ["vectors": directions]),
        request("vjp", ["vectors": u, "per_sample": .flag(isPerSample)]),
        request("gauss-newton-diagonal", ["loss": loss]),
        request("gauss-newton-product", ["loss": loss, "vectors": directions]),
        request("gauss-newton", ["loss": loss]),
        GradientRequest(name: "neural-tangent-kernel", options: kernel),
        request("norms"), request("singular-values", ["jacobians": .texts(["parameter-jacobian"])]),
      ]
    }
  }

  // At most four layers of at most six units: some hundred roundings, relative to the largest entry.
  @Test(arguments: UInt64(0)..<60)
  func `every contraction of a random network agrees with the Jacobian multiplied out`(
    _ seed: UInt64
  ) throws {
    let draw = Draw(seed: seed)
    let problem = draw.problem
    let shape = problem.network.shape
    let results = try Results(
      draw.requests, on: problem, threads: draw.threads, blockSamples: draw.blockSamples)
    let j = DenseJacobian(problem, parameters: draw.parameters, outputs: draw.outputs)
    func expect(_ actual: [Double], _ expected: [Double], _ what: String) {
      let error = relativeError(actual, expected)
      #expect(error < 1e-11, "\(what) of \(shape.layers): \(error)")
    }
    let (batch, m, count) = (problem.batch, draw.outputs.count, draw.vectors.count)
    // 1. J V, (B, K, m).
    let products = draw.vectors.map { j.product($0) }
    expect(
      results["jvp"], (0..<batch).flatMap { b in products.flatMap { $0[b] } }, "jvp")
    // 2. uᵀJ, 3. the diagonal, 4. G V, all cut into parameters.
    let g = j.gaussNewton(isCrossEntropy: draw.isCrossEntropy)
    let pulled = (0..<batch).map { b in
      (0..<count).map { k in
        (0..<m).reduce([Double](repeating: 0, count: g.count)) { sum, r in
          let u = draw.cotangents[(b * count + k) * m + r]
          return zip(sum, j.rows[b][r]).map { $0 + u * $1 }
        }
      }
    }
    let summed = (0..<count).map { k in
      pulled.reduce([Double](repeating: 0, count: g.count)) { zip($0, $1[k]).map { $0 + $1 } }
    }
    let moved = draw.vectors.map { v in g.map { zip($0, v).reduce(0) { $0 + $1.0 * $1.1 } } }
    var start = 0
    for parameter in draw.parameters {
      let part = start..<start + shape.count(of: parameter)
      start = part.upperBound
      expect(
        results["vjp/\(parameter)"],
        draw.isPerSample
          ? pulled.flatMap { $0.flatMap { $0[part] } } : summed.flatMap { $0[part] },
        "vjp, \(parameter)")
      expect(
        results["gauss-newton-diagonal/\(parameter)"], part.map { g[$0][$0] },
        "diagonal, \(parameter)")
      expect(
        results["gauss-newton-product/\(parameter)"], moved.flatMap { $0[part] },
        "product, \(parameter)")
      // 5. Norms.
      expect(
        results["norms/\(parameter)"],
        j.rows.flatMap { $0.map { $0[part].reduce(0) { $0 + $1 * $1 }.squareRoot() } },
        "norms, \(parameter)")
    }
    // 6. G whole, symmetric to the bit.
    let matrix = results["gauss-newton"]
    expect(matrix, g.flatMap(\.self), "gauss-newton")
    for i in g.indices {
      for k in 0..<i { #expect(matrix[i * g.count + k] == matrix[k * g.count + i]) }
    }
    // 7. Θ.
    let other =
      draw.hasOthers
      ? DenseJacobian(draw.others, parameters: draw.parameters, outputs: draw.outputs) : j
    func inner(_ b: Int, _ o: Int, _ c: Int, _ q: Int) -> Double {
      zip(j.rows[b][o], other.rows[c][q]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let columns = other.rows.indices
    let theta =
      draw.isFull
      ? (0..<batch).flatMap { b in
        (0..<m).flatMap { o in columns.flatMap { c in (0..<m).map { q in inner(b, o, c, q) } } }
      }
      : (0..<m).flatMap { o in (0..<batch).flatMap { b in columns.map { c in inner(b, o, c, o) } } }
    expect(results["neural-tangent-kernel"], theta, "neural tangent kernel")
    // 8. The squares of the singular values are the eigenvalues of J Jᵀ: their sum, and that of their squares.
    let values = results["singular-values/parameter-jacobian"]
    let rank = values.count / batch
    for b in 0..<batch {
      let own = values[b * rank..<(b + 1) * rank].map { $0 * $0 }
      #expect(own == own.sorted(by: >))
      let gram = (0..<m).map { o in
        (0..<m).map { q in zip(j.rows[b][o], j.rows[b][q]).reduce(0) { $0 + $1.0 * $1.1 } }
      }
      expect([own.reduce(0, +)], [(0..<m).reduce(0) { $0 + gram[$1][$1] }], "trace of J Jᵀ")
      expect(
        [own.reduce(0) { $0 + $1 * $1 }],
        [gram.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }], "trace of (J Jᵀ)²")
    }
  }

  @Test(arguments: UInt64(100)..<112)
  func `contractions have the same bytes for any number of threads`(_ seed: UInt64) throws {
    let draw = Draw(seed: seed)
    let one = try Results(draw.requests, on: draw.problem, blockSamples: 2)
    for threads in [2, 3, 7] {
      let other = try Results(draw.requests, on: draw.problem, threads: threads, blockSamples: 2)
      for path in one.paths {
        let isSame = one[path].map(\.bitPattern) == other[path].map(\.bitPattern)
        #expect(isSame, "\(threads) threads, \(path)")
      }
    }
  }

  // Two tiles and more in each direction at the size that a job has.
  @Test func `a kernel of several tiles agrees with the Jacobian multiplied out`() throws {
    let problem = Problem<Double>.random(
      seed: 5, widths: [2, 3, 4], activations: [.tanh, .identity], batch: 290)
    let results = try Results(
      [GradientRequest(name: "neural-tangent-kernel")], on: problem, threads: 2)
    let j = DenseJacobian(
      problem, parameters: problem.network.shape.parameters, outputs: [0, 1, 2, 3]
    ).rows.flatMap(\.self)
    var worst = 0.0
    var isSymmetric = true
    let theta = results["neural-tangent-kernel"]
    for i in stride(from: 0, to: j.count, by: 7) {
      for k in j.indices {
        let inner = zip(j[i], j[k]).reduce(0) { $0 + $1.0 * $1.1 }
        worst = max(worst, abs(theta[i * j.count + k] - inner))
        if theta[i * j.count + k] != theta[k * j.count + i] { isSymmetric = false }
      }
    }
    #expect(worst < 1e-11)
    #expect(isSymmetric)
    #expect(results.plan.blockCount == 6)
  }

  /// ⟨u, J v⟩ = ⟨Jᵀu, v⟩, whatever the network.
  @Test func `products with J and with its transpose fit together`() throws {
    let base = Problem<Double>.random(
      seed: 9, widths: [5, 17, 9, 4], activations: [.gelu, .softmax, .sin], batch: 83)
    var random = SeededGenerator(seed: 10)
    let v = random.numbers(base.network.shape.parameterCount)
    let u = random.numbers(83 * 4)
    let problem = Problem(
      network: base.network, inputs: base.inputs, targets: nil, batch: 83,
      operands: ["gradients[0].vectors": Values(v), "gradients[1].vectors": Values(u)])
    let results = try Results(
      [
        GradientRequest(name: "jvp", options: ["vectors": .array(shape: [v.count])]),
        GradientRequest(name: "vjp", options: ["vectors": .array(shape: [83, 4])]),
      ], on: problem, threads: 2)
    let forward = zip(results["jvp"], u).reduce(0) { $0 + $1.0 * $1.1 }
    let reverse = zip(
      base.network.shape.parameters.flatMap { results["vjp/\($0)"] }, v
    ).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(forward - reverse) < 1e-11 * max(1, abs(forward)))
  }

  @Test func `a Jacobian that is not finite has no singular values`() throws {
    let base = Problem<Double>.random(
      seed: 3, widths: [2, 2], activations: [.identity], batch: 2)
    let problem = Problem(
      network: base.network, inputs: Values([1, 2, .nan, 1]), targets: nil, batch: 2)
    let results = try Results([GradientRequest(name: "singular-values")], on: problem)
    let values = results["singular-values/parameter-jacobian"]
    #expect(values[0].isFinite && values[1].isFinite && values[2].isNaN && values[3].isNaN)
    let isFinite = results["singular-values/input-jacobian"].allSatisfy { $0.isFinite }
    #expect(isFinite)
  }
}

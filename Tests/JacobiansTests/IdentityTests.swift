import Jacobians
import TestSupport
import Testing

/// Identities that must hold whatever the numbers are.
@Suite struct IdentityTests {
  static let problem = Problem<Double>.random(
    seed: 11, widths: [5, 9, 7, 4], activations: [.tanh, .softmax, .silu],
    biases: [true, false, true], batch: 37)

  static func request(
    _ name: String, _ options: [String: GradientRequest.Option] = [:]
  ) -> GradientRequest {
    GradientRequest(name: name, options: options)
  }

  /// The rows of some outputs of a (37, 4, …) array.
  static func slice(_ all: [Double], _ outputs: [Int]) -> [Double] {
    let width = all.count / (37 * 4)
    var slice: [Double] = []
    for b in 0..<37 {
      for o in outputs { slice += all[(b * 4 + o) * width..<(b * 4 + o + 1) * width] }
    }
    return slice
  }

  @Test func `the Jacobian of a linear network's weights is I ⊗ xᵀ exactly`() throws {
    let problem = Problem<Double>.random(
      seed: 1, widths: [6, 4], activations: [.identity], batch: 19)
    let results = try Results([IdentityTests.request("parameter-jacobian")], on: problem)
    var weights: [Double] = []
    var biases: [Double] = []
    for b in 0..<19 {
      let x = problem.input(b)
      for o in 0..<4 {
        for j in 0..<4 { for i in 0..<6 { weights.append(j == o ? x[i] : 0) } }
        for j in 0..<4 { biases.append(j == o ? 1 : 0) }
      }
    }
    #expect(results["parameter-jacobian/W1"] == weights)
    #expect(results["parameter-jacobian/b1"] == biases)
  }

  @Test func `the input Jacobian of a linear network is its matrix exactly`() throws {
    let problem = Problem<Double>.random(
      seed: 1, widths: [6, 4], activations: [.identity], batch: 3)
    let results = try Results([IdentityTests.request("input-jacobian")], on: problem)
    let w = problem.network.weights[0].array
    #expect(results["input-jacobian"] == w + w + w)
  }

  // Rounding of sums over m outputs.
  @Test func `residuals times the Jacobian are ordinary backpropagation`() throws {
    let problem = IdentityTests.problem
    let results = try Results(
      [
        IdentityTests.request("parameter-jacobian"), IdentityTests.request("outputs"),
        IdentityTests.request("loss-gradient"),
      ], on: problem)
    let samples = try Results(
      [IdentityTests.request("loss-gradient", ["per_sample": .flag(true)])], on: problem)
    let y = results["outputs"]
    for parameter in problem.network.shape.parameters {
      let count = problem.network.shape.count(of: parameter)
      let jacobian = results["parameter-jacobian/\(parameter)"]
      var sum = [Double](repeating: 0, count: count)
      var each: [Double] = []
      for b in 0..<37 {
        let t = problem.target(b)
        let pulled = (0..<count).map { i in
          (0..<4).reduce(0.0) { total, o in
            total + (y[b * 4 + o] - t[o]) * jacobian[(b * 4 + o) * count + i]
          }
        }
        each += pulled
        for i in 0..<count { sum[i] += pulled[i] }
      }
      #expect(relativeError(results["loss-gradient/\(parameter)"], sum) < 1e-14)
      #expect(relativeError(samples["loss-gradient/\(parameter)"], each) < 1e-14)
    }
  }

  @Test func `factors multiplied out are the dense Jacobian to the last bit`() throws {
    let problem = IdentityTests.problem
    let dense = try Results([IdentityTests.request("parameter-jacobian")], on: problem)
    let factored = try Results(
      [IdentityTests.request("parameter-jacobian", ["form": .text("factored")])], on: problem)
    let shape = problem.network.shape
    for k in 1...3 {
      let (n, width) = (shape.width(k), shape.width(k - 1))
      let delta = factored["parameter-jacobian/delta\(k)"]
      let a = factored["parameter-jacobian/a\(k - 1)"]
      var product: [Double] = []
      for b in 0..<37 {
        for o in 0..<4 {
          for j in 0..<n {
            for i in 0..<width { product.append(delta[(b * 4 + o) * n + j] * a[b * width + i]) }
          }
        }
      }
      #expect(dense["parameter-jacobian/W\(k)"] == product)
    }
    #expect(dense["parameter-jacobian/b1"] == factored["parameter-jacobian/delta1"])
    #expect(dense.paths.contains("parameter-jacobian/b2") == false)
  }

  @Test func `the matrix layout is the arrays side by side to the last bit`() throws {
    let problem = IdentityTests.problem
    let shape = problem.network.shape
    let arrays = try Results([IdentityTests.request("parameter-jacobian")], on: problem)
    let matrix = try Results(
      [IdentityTests.request("parameter-jacobian", ["layout": .text("matrix")])], on: problem)
    var expected: [Double] = []
    for row in 0..<37 * 4 {
      for parameter in shape.parameters {
        let count = shape.count(of: parameter)
        expected += arrays["parameter-jacobian/\(parameter)"][row * count..<(row + 1) * count]
      }
    }
    #expect(matrix["parameter-jacobian"] == expected)
    #expect(matrix.plan.arrays[0].shape == [37, 4, shape.parameterCount])
    #expect(matrix.plan.arrays[0].columns == shape.parameters)
  }

  @Test(arguments: [[0, 3], [3, 0], [2], [1, 0, 3, 2]]) func `a subset is a slice of the whole`(
    _ outputs: [Int]
  ) throws {
    let problem = IdentityTests.problem
    let whole = try Results(
      [
        IdentityTests.request("parameter-jacobian"), IdentityTests.request("input-jacobian"),
        IdentityTests.request("local-gradients"),
      ], on: problem)
    let chosen: [String: GradientRequest.Option] = ["outputs": .integers(outputs)]
    let parts = try Results(
      [
        IdentityTests.request(
          "parameter-jacobian",
          ["outputs": .integers(outputs), "parameters": .texts(["b3", "W2"])]),
        IdentityTests.request("input-jacobian", chosen),
        IdentityTests.request("local-gradients", chosen),
      ], on: problem)
    #expect(
      parts.paths == [
        "parameter-jacobian/W2", "parameter-jacobian/b3", "input-jacobian",
        "local-gradients/delta1", "local-gradients/delta2", "local-gradients/delta3",
      ])
    for path in parts.paths {
      let all = whole[path]
      #expect(parts[path] == IdentityTests.slice(all, outputs), "\(path)")
    }
  }

  @Test func `gradients with different outputs share one sweep and keep their own rows`() throws {
    let problem = IdentityTests.problem
    let whole = try Results([IdentityTests.request("input-jacobian")], on: problem)
    let mixed = try Results(
      [
        IdentityTests.request("local-gradients", ["outputs": .integers([1])]),
        IdentityTests.request("parameter-jacobian", ["outputs": .integers([3, 1])]),
        IdentityTests.request("input-jacobian", ["outputs": .integers([0, 3])]),
      ], on: problem)
    #expect(mixed["input-jacobian"] == IdentityTests.slice(whole["input-jacobian"], [0, 3]))
  }

  @Test func `gradients with the same outputs in another order keep their own order`() throws {
    let problem = IdentityTests.problem
    let whole = try Results(
      [IdentityTests.request("input-jacobian"), IdentityTests.request("local-gradients")],
      on: problem)
    let mixed = try Results(
      [
        IdentityTests.request("local-gradients", ["outputs": .integers([3, 0])]),
        IdentityTests.request("input-jacobian", ["outputs": .integers([0, 3])]),
      ], on: problem)
    for (path, outputs) in [("input-jacobian", [0, 3]), ("local-gradients/delta2", [3, 0])] {
      #expect(mixed[path] == IdentityTests.slice(whole[path], outputs), "\(path)")
    }
  }

  @Test func `a subset of parameters skips the layers before them`() throws {
    let shape = IdentityTests.problem.network.shape
    func plan(_ names: [String]) throws -> Plan {
      try Planner.plan(
        network: shape, batch: 37, dtype: .float64,
        requests: [
          IdentityTests.request("parameter-jacobian", ["parameters": .texts(names)])
        ], hasTargets: true, verify: false)
    }
    let last = try plan(["W3", "b3"])
    #expect(last.stages.localGradients?.lowest == 3)
    #expect(last.operations < (try plan(["W2"])).operations)
    #expect(try plan(["W2"]).operations < (try plan(["W1"])).operations)
    #expect(
      last.strategy
        == "forward pass, then local gradients of all 4 outputs down to layer 3, then contraction")
  }

  @Test func `the loss gradient alone pulls back one row a sample`() throws {
    let plan = try Planner.plan(
      network: IdentityTests.problem.network.shape, batch: 37, dtype: .float64,
      requests: [IdentityTests.request("loss-gradient")], hasTargets: true, verify: false)
    #expect(plan.stages.localGradients == nil)
    #expect(plan.stages.residuals?.rowsPerSample == 1)
    #expect(
      plan.strategy
        == "forward pass, then backpropagation of y − t down to layer 1, then contraction")
  }

  // ⟨u, J v⟩ = ⟨Jᵀu, v⟩ with J v by a central difference of y along v (h = 10⁻⁶): 10⁻⁹ relative.
  @Test func `directional derivatives of y agree with the Jacobian along any direction`() throws {
    let problem = IdentityTests.problem
    let results = try Results([IdentityTests.request("parameter-jacobian")], on: problem)
    var random = SeededGenerator(seed: 21)
    let shape = problem.network.shape
    let directions = shape.parameters.map { random.numbers(shape.count(of: $0)) }
    func moved(by step: Double) throws -> [Double] {
      var weights: [Values<Double>] = []
      var biases: [Values<Double>?] = []
      for (k, layer) in shape.layers.enumerated() {
        func shifted(_ values: Values<Double>, _ parameter: Parameter) -> Values<Double> {
          let d = directions[shape.parameters.firstIndex(of: parameter)!]
          return Values(zip(values.array, d).map { $0 + step * $1 })
        }
        weights.append(
          shifted(problem.network.weights[k], Parameter(kind: .weights, layer: k + 1)))
        biases.append(
          layer.hasBiases
            ? shifted(problem.network.biases[k]!, Parameter(kind: .biases, layer: k + 1)) : nil)
      }
      let other = Problem(
        network: Network(shape: shape, weights: weights, biases: biases),
        inputs: problem.inputs, targets: nil, batch: problem.batch)
      return try Results([IdentityTests.request("outputs")], on: other)["outputs"]
    }
    let ahead = try moved(by: 1e-6)
    let behind = try moved(by: -1e-6)
    let product = (0..<37 * 4).map { row in
      shape.parameters.indices.reduce(0.0) { total, p in
        let d = directions[p]
        let jacobian = results["parameter-jacobian/\(shape.parameters[p])"]
        return d.indices.reduce(total) { $0 + jacobian[row * d.count + $1] * d[$1] }
      }
    }
    let difference = zip(ahead, behind).map { ($0 - $1) / 2e-6 }
    #expect(relativeError(product, difference) < 1e-9)
  }
}

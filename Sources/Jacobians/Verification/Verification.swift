/// The seed's own test of a job, carried out on some of its samples.
///
/// The engine's factors δ_k and a_k, computed in the job's number type by the code that computes the job, are
/// compared with plain float64 arithmetic:
///
/// 1. uᵀ ∂y/∂w and uᵀ ∂y/∂x, put together from δ and a, with ordinary backpropagation of u. u is y − t, or
///    seeded random numbers where the job has no targets.
/// 2. J · v, put together from δ and a, with central differences of y along a seeded random direction v in w.
/// 3. The same along a seeded random direction in x.
///
/// What the job asks for that is made of J is then compared with rows of J (`ContractionCheck`).
///
/// Errors are relative to the largest term: of the sums of check 1; of J · v and y in checks 2 and 3. A central
/// difference is believed only if no local field changes sides at a kink on the way, and several steps are
/// tried, as the best one depends on the network. Excluded is a sample that allows none, that is not finite, or
/// that has a local field so near a kink that rounding may put it on either side.
package struct Verification: Hashable, Sendable {
  /// One comparison of two ways to the same numbers.
  package struct Check: Hashable, Sendable {
    /// What is compared with what.
    package let name: String
    /// The largest difference of all samples, relative to the largest term.
    package internal(set) var error = 0.0
    /// The largest error that passes.
    package let tolerance: Double
    /// How many samples were compared; with none the check says nothing.
    package internal(set) var samples = 0
    /// How many samples were not: at a kink, or not finite.
    package internal(set) var excluded = 0

    /// Whether the error is within the tolerance.
    package var passed: Bool { error <= tolerance }
  }

  /// All comparisons.
  package let checks: [Check]
  /// Whether all of them passed.
  package var passed: Bool { checks.allSatisfy(\.passed) }

  /// Backpropagation differs by rounding only: some 10⁴ steps of float64, and as many of float32.
  package static func backpropagationTolerance(_ type: ScalarType) -> Double {
    type == .float64 ? 1e-9 : 1e-3
  }

  /// A central difference with step 10⁻⁵ errs by about 10⁻¹⁰ y‴; float32 factors by much more.
  package static func differenceTolerance(_ type: ScalarType) -> Double {
    type == .float64 ? 1e-6 : 1e-3
  }

  /// These comparisons and more.
  func adding(_ more: [Check]) -> Verification { Verification(checks: checks + more) }

  /// Joins comparisons.
  init(checks: [Check]) { self.checks = checks }

  /// Steps of central differences, the usual best first.
  static let steps = [1e-5, 1e-6, 1e-4, 1e-7]

  /// Compares factors with the problem they were computed of.
  package init<T: Scalar>(of factors: EngineFactors, on problem: Problem<T>) {
    let plain = PlainPass(network: problem.network)
    let u = problem.targets == nil ? "u" : "(y − t)"
    var backpropagation = Check(
      name: "\(u)ᵀ ∂y/∂w and \(u)ᵀ ∂y/∂x against backpropagation",
      tolerance: Verification.backpropagationTolerance(T.type))
    var parameters = Check(
      name: "∂y/∂w against finite differences", tolerance: Verification.differenceTolerance(T.type))
    var inputs = Check(
      name: "∂y/∂x against finite differences", tolerance: Verification.differenceTolerance(T.type))
    for row in factors.samples.indices {
      let sample = Sample(factors, row: row, of: problem)
      // At a kink the engine's rounding decides on which side it is: no matter of right or wrong.
      guard !plain.isDoubtful(sample.x) else {
        backpropagation.record(nil)
        parameters.record(nil)
        inputs.record(nil)
        continue
      }
      backpropagation.record(Verification.backpropagation(sample, plain, problem))
      let seed = UInt64(sample.number)
      let direction = PlainPass<T>.Direction(seed: seed)
      parameters.record(
        Verification.difference(
          sample, plain,
          expected: plain.product(
            direction, activations: sample.activations, localGradients: sample.localGradients,
            outputs: sample.outputs.count), tolerance: parameters.tolerance
        ) { step in plain.outputs(sample.x, moving: direction, step: step) })
      var random = SplitMix(seed: seed ^ 0x5851_f42d_4c95_7f2d)
      let d = sample.x.map { _ in random.number() }
      let slope = sample.outputs.indices.map { o in
        d.indices.reduce(0) { $0 + sample.localGradients[0][o * d.count + $1] * d[$1] }
      }
      inputs.record(
        Verification.difference(sample, plain, expected: slope, tolerance: inputs.tolerance) {
          step in plain.outputs(zip(sample.x, d).map { $0 + step * $1 })
        })
    }
    checks = [backpropagation, parameters, inputs]
  }

  /// The error of check 1, or nil when the reference is not finite.
  private static func backpropagation<T: Scalar>(
    _ sample: Sample, _ plain: PlainPass<T>, _ problem: Problem<T>
  ) -> Double? {
    let m = problem.network.shape.outputs
    var random = SplitMix(seed: UInt64(sample.number) ^ 0x1405_7b7e_f767_814f)
    var u = [Double](repeating: 0, count: m)
    let y = plain.outputs(sample.x).outputs
    for o in sample.outputs {
      u[o] =
        problem.targets.map { y[o] - Double($0.span[sample.number * m + o]) } ?? random.number()
    }
    let (a, g) = plain.backpropagation(sample.x, pulling: u)
    guard (a + g + [u]).allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return nil }
    var worst = 0.0
    var scale = Double.leastNormalMagnitude
    func compare(_ actual: Double, _ expected: Double, _ size: Double) {
      scale = max(scale, size, abs(expected))
      let difference = abs(actual - expected)
      worst = difference.isNaN ? .infinity : max(worst, difference)
    }
    for k in g.indices {
      let width = g[k].count
      var pulled = [Double](repeating: 0, count: width)
      var sizes = pulled
      for (r, o) in sample.outputs.enumerated() {
        for j in 0..<width {
          let term = u[o] * sample.localGradients[k][r * width + j]
          pulled[j] += term
          sizes[j] += abs(term)
        }
      }
      let layer = k == 0 ? nil : problem.network.shape.layers[k - 1]
      for j in 0..<width {
        if layer?.hasBiases ?? true { compare(pulled[j], g[k][j], sizes[j]) }
        guard k > 0 else { continue }
        for i in a[k - 1].indices {
          let input = sample.activations[k - 1][i]
          compare(pulled[j] * input, g[k][j] * a[k - 1][i], sizes[j] * abs(input))
        }
      }
    }
    return worst.isFinite ? worst / scale : .infinity
  }

  /// The error of checks 2 and 3 for the best step, or nil when no step can be believed.
  private static func difference<T: Scalar>(
    _ sample: Sample, _ plain: PlainPass<T>, expected: [Double], tolerance: Double,
    _ moved: (Double) -> PlainPass<T>.Arrival
  ) -> Double? {
    let here = plain.outputs(sample.x)
    var best: Double?
    for step in steps {
      let ahead = moved(step)
      let behind = moved(-step)
      guard ahead.sides == here.sides, behind.sides == here.sides else { continue }
      var worst = 0.0
      var scale = Double.leastNormalMagnitude
      for (r, o) in sample.outputs.enumerated() {
        let slope = (ahead.outputs[o] - behind.outputs[o]) / (2 * step)
        guard slope.isFinite else { return nil }
        scale = max(scale, abs(slope), abs(here.outputs[o]))
        let difference = abs(expected[r] - slope)
        worst = difference.isNaN ? .infinity : max(worst, difference)
      }
      let error = worst.isFinite ? worst / scale : .infinity
      best = min(best ?? .infinity, error)
      if error <= tolerance { break }
    }
    return best
  }

  /// One sample's share of the factors.
  private struct Sample {
    let number: Int
    let x: [Double]
    let outputs: [Int]
    let activations: [[Double]]
    let localGradients: [[Double]]

    init<T: Scalar>(_ factors: EngineFactors, row: Int, of problem: Problem<T>) {
      let shape = problem.network.shape
      number = factors.samples[row]
      outputs = factors.outputs
      let first = number * shape.inputs
      let inputs = problem.inputs
      x = (0..<shape.inputs).map { Double(inputs.span[first + $0]) }
      let count = factors.outputs.count
      activations = factors.activations.enumerated().map { k, numbers in
        Array(numbers[row * shape.width(k)..<(row + 1) * shape.width(k)])
      }
      localGradients = factors.localGradients.enumerated().map { k, numbers in
        Array(numbers[row * count * shape.width(k)..<(row + 1) * count * shape.width(k)])
      }
    }
  }
}

extension Verification.Check {
  init(name: String, tolerance: Double) {
    self.name = name
    self.tolerance = tolerance
  }

  /// Notes the error of so many samples that were compared together; nil excludes them.
  mutating func record(_ error: Double?, samples count: Int = 1) {
    guard let error else {
      excluded += count
      return
    }
    samples += count
    self.error = max(self.error, error)
  }
}

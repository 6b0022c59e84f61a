/// What a job's numbers were like: facts for the manifest, not judgements.
package struct Numerics: Hashable, Sendable, Codable {
  /// How many numbers are no finite numbers.
  package struct NonFinite: Hashable, Sendable, Codable {
    /// How many are NaN.
    package var nan = 0
    /// How many are +∞ or −∞.
    package var infinity = 0

    /// None so far.
    package init() {}
  }

  /// In all W_k and b_k.
  package var parameters = NonFinite()
  /// In x.
  package var inputs = NonFinite()
  /// In t.
  package var targets = NonFinite()
  /// In y.
  package var outputs = NonFinite()
  /// In the rows of δ_k, of (y − t)ᵀδ_k, and of ∂y/∂x, that the job's gradients read.
  package var localGradients = NonFinite()
  /// Local fields v that stand exactly at a kink of their activation, over all samples and units.
  ///
  /// Kinks: 0 for relu, for leaky-relu unless slope = 1, for elu unless alpha = 1, for selu; both ends for hard-tanh.
  package var atKinks = 0
  /// Units whose slope is lost to rounding, |φ'(v)| < epsilon of the number type, over all samples.
  ///
  /// Counted where an activation levels off on both sides: tanh, sigmoid, softsign, hard-tanh.
  package var saturated = 0

  /// Nothing seen so far.
  package init() {}

  /// What the parameters of a network are like.
  init<T: Scalar>(parametersOf network: Network<T>) {
    for (weights, biases) in zip(network.weights, network.biases) {
      parameters.add(NonFinite(in: weights.span))
      if let biases { parameters.add(NonFinite(in: biases.span)) }
    }
  }

  /// Adds what another thread saw.
  package mutating func add(_ other: Numerics) {
    parameters.add(other.parameters)
    inputs.add(other.inputs)
    targets.add(other.targets)
    outputs.add(other.outputs)
    localGradients.add(other.localGradients)
    atKinks += other.atKinks
    saturated += other.saturated
  }
}

extension Numerics.NonFinite {
  /// Adds those of another count.
  package mutating func add(_ other: Self) {
    nan += other.nan
    infinity += other.infinity
  }

  /// Counts those among `numbers`.
  @specialized(where T == Double)
  @specialized(where T == Float)
  package init<T: Scalar>(in numbers: Span<T>) {
    guard VectorInstructions.areUsable else {
      self.init(plainlyIn: numbers)
      return
    }
    self.init()
    if !VectorInstructions.areFinite(numbers) { count(numbers) }
  }

  /// The same without vector instructions.
  @inline(__always)
  init<T: Scalar>(plainlyIn numbers: Span<T>) {
    // x − x is 0 for every finite number and NaN for all others: one sum tells whether to look closer.
    // Several sums, as each addition waits for the one before.
    var (s0, s1, s2, s3): (T, T, T, T) = (0, 0, 0, 0)
    var i = 0
    while i + 4 <= numbers.count {
      s0 += numbers[i] - numbers[i]
      s1 += numbers[i + 1] - numbers[i + 1]
      s2 += numbers[i + 2] - numbers[i + 2]
      s3 += numbers[i + 3] - numbers[i + 3]
      i += 4
    }
    while i < numbers.count {
      s0 += numbers[i] - numbers[i]
      i += 1
    }
    if s0 + s1 + s2 + s3 == 0 { return }
    count(numbers)
  }

  @inline(__always)
  private mutating func count<T: Scalar>(_ numbers: Span<T>) {
    for i in numbers.indices {
      if numbers[i].isNaN { nan += 1 } else if !numbers[i].isFinite { infinity += 1 }
    }
  }
}

extension Activation {
  /// How many local fields stand exactly at a kink, where the one-sided derivatives differ.
  @specialized(where T == Double)
  @specialized(where T == Float)
  package func countKinks<T: Scalar>(in fields: Span<T>) -> Int {
    let kinks = self.kinks
    var count = 0
    for kink in kinks {
      let kink = T(kink)
      for i in fields.indices { count += fields[i] == kink ? 1 : 0 }
    }
    return count
  }

  /// Where the one-sided derivatives differ.
  package var kinks: [Double] {
    switch self {
    case .relu, .selu: [0]
    case .leakyReLU(let slope): slope == 1 ? [] : [0]
    case .elu(let alpha): alpha == 1 ? [] : [0]
    case .hardTanh(let minimum, let maximum): [minimum, maximum]
    default: []
    }
  }

  /// How many values a = φ(v) of an activation that levels off on both sides have |φ'| < epsilon.
  @specialized(where T == Double)
  @specialized(where T == Float)
  package func countSaturated<T: Scalar>(in values: Span<T>) -> Int {
    let epsilon = T.ulpOfOne
    var count = 0
    switch self {
    case .tanh where VectorInstructions.areUsable:
      count = VectorInstructions.countNearOne(values, within: epsilon)
    case .tanh:
      for i in values.indices { count += 1 - values[i] * values[i] < epsilon ? 1 : 0 }
    case .sigmoid:
      for i in values.indices { count += values[i] * (1 - values[i]) < epsilon ? 1 : 0 }
    case .softsign:
      for i in values.indices {
        let rest = 1 - abs(values[i])
        count += rest * rest < epsilon ? 1 : 0
      }
    case .hardTanh(let minimum, let maximum):
      let minimum = T(minimum)
      let maximum = T(maximum)
      for i in values.indices { count += values[i] <= minimum || values[i] >= maximum ? 1 : 0 }
    default: break
    }
    return count
  }
}

package import Jacobians

/// A sequence of numbers that a seed determines (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Numbers between −1 and 1, times `scale`, that float32 holds exactly.
  package mutating func numbers(_ count: Int, scale: Double = 1) -> [Double] {
    (0..<count).map { _ in Double(Float(Double.random(in: -1...1, using: &self) * scale)) }
  }
}

extension Values {
  /// A copy of the numbers.
  package var array: [T] { (0..<count).map { span[$0] } }
}

extension Problem {
  /// A network of given widths n_0…n_L with random numbers, and random inputs and targets.
  package static func random(
    seed: UInt64, widths: [Int], activations: [Activation], biases: [Bool]? = nil, batch: Int,
    hasTargets: Bool = true, scale: Double = 2
  ) -> Problem<T> {
    var generator = SeededGenerator(seed: seed)
    let hasBiases = biases ?? [Bool](repeating: true, count: activations.count)
    let shape = NetworkShape(
      layers: activations.indices.map { k in
        LayerShape(
          inputs: widths[k], outputs: widths[k + 1], hasBiases: hasBiases[k],
          activation: activations[k])
      })
    var weights: [Values<T>] = []
    var allBiases: [Values<T>?] = []
    for layer in shape.layers {
      let spread = scale / Double(layer.inputs).squareRoot()
      weights.append(
        Values(generator.numbers(layer.inputs * layer.outputs, scale: spread).map { T($0) }))
      allBiases.append(
        layer.hasBiases ? Values(generator.numbers(layer.outputs, scale: 0.5).map { T($0) }) : nil)
    }
    let inputs = generator.numbers(batch * widths[0], scale: 1.5).map { T($0) }
    let targets = generator.numbers(batch * shape.outputs).map { T($0) }
    return Problem(
      network: Network(shape: shape, weights: weights, biases: allBiases),
      inputs: Values(inputs), targets: hasTargets ? Values(targets) : nil, batch: batch)
  }

  /// One sample's inputs, widened.
  package func input(_ sample: Int) -> [Double] {
    let n = network.shape.inputs
    return (0..<n).map { Double(inputs.span[sample * n + $0]) }
  }

  /// One sample's targets, widened.
  package func target(_ sample: Int) -> [Double] {
    let m = network.shape.outputs
    guard let targets else { return [] }
    return (0..<m).map { Double(targets.span[sample * m + $0]) }
  }

  /// The same network on some of the samples.
  package func taking(_ samples: Range<Int>) -> Problem<T> {
    let n = network.shape.inputs
    let m = network.shape.outputs
    let x = (samples.lowerBound * n..<samples.upperBound * n).map { inputs.span[$0] }
    let t = targets.map { targets in
      Values((samples.lowerBound * m..<samples.upperBound * m).map { targets.span[$0] })
    }
    return Problem(network: network, inputs: Values(x), targets: t, batch: samples.count)
  }
}

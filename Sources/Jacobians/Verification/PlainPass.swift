/// One sample through a network in float64 with plain loops: the reference that factors are compared with.
///
/// It shares the activations with the engine, but no product, no stacking and no sweep.
struct PlainPass<T: Scalar> {
  let network: Network<T>

  /// A direction in the space of all parameters: numbers between −1/√n_{k−1} and 1/√n_{k−1}, from a seed.
  ///
  /// They are drawn anew each time in the same order, as storing them would take another copy of the network.
  struct Direction {
    let seed: UInt64
  }

  /// Where one pass arrived: y, and on which side of its kinks each local field was.
  struct Arrival {
    var outputs: [Double] = []
    var sides: [Int8] = []
  }

  /// y(x; w + step · direction).
  func outputs(_ x: [Double], moving direction: Direction? = nil, step: Double = 0) -> Arrival {
    var arrival = Arrival()
    var random = SplitMix(seed: direction?.seed ?? 0)
    var a = x
    for (index, layer) in network.shape.layers.enumerated() {
      a = fields(
        index, a, moving: direction == nil ? nil : step / Double(layer.inputs).squareRoot(),
        &random)
      for kink in layer.activation.breaks {
        for v in a { arrival.sides.append(v < kink ? -1 : v > kink ? 1 : 0) }
      }
      var none: [Double] = []
      apply(layer, &a, &none)
    }
    arrival.outputs = a
    return arrival
  }

  /// Whether x or a local field is not finite, or so near a kink that rounding in T could move it across.
  ///
  /// |v − kink| is compared with k ε (n_{k−1} + 16) (Σ|w a| + |b|): rounding of the sum and of layers before it.
  func isDoubtful(_ x: [Double]) -> Bool {
    guard x.allSatisfy(\.isFinite) else { return true }
    var random = SplitMix(seed: 0)
    var a = x
    for (index, layer) in network.shape.layers.enumerated() {
      let v = fields(index, a, moving: nil, &random)
      guard v.allSatisfy(\.isFinite) else { return true }
      let kinks = layer.activation.kinks
      if !kinks.isEmpty {
        let weights = network.weights[index]
        let bound = Double(T.ulpOfOne) * Double((index + 1) * (layer.inputs + 16))
        for j in 0..<layer.outputs {
          var size = network.biases[index].map { abs(Double($0.span[j])) } ?? 0
          for i in 0..<layer.inputs {
            size += abs(Double(weights.span[j * layer.inputs + i]) * a[i])
          }
          for kink in kinks where abs(v[j] - kink) < bound * size { return true }
        }
      }
      a = v
      var none: [Double] = []
      apply(layer, &a, &none)
    }
    return false
  }

  /// J · direction by the factors of one sample: Σ_k δ_k (V_k a_{k−1} + c_k).
  func product(
    _ direction: Direction, activations: [[Double]], localGradients: [[Double]], outputs: Int
  ) -> [Double] {
    var random = SplitMix(seed: direction.seed)
    var result = [Double](repeating: 0, count: outputs)
    for (index, layer) in network.shape.layers.enumerated() {
      let scale = 1 / Double(layer.inputs).squareRoot()
      let a = activations[index]
      var moved = [Double](repeating: 0, count: layer.outputs)
      for j in 0..<layer.outputs {
        var sum = 0.0
        for i in 0..<layer.inputs { sum += scale * random.number() * a[i] }
        moved[j] = sum
      }
      if layer.hasBiases { for j in 0..<layer.outputs { moved[j] += scale * random.number() } }
      let delta = localGradients[index + 1]
      for o in 0..<outputs {
        for j in 0..<layer.outputs { result[o] += delta[o * layer.outputs + j] * moved[j] }
      }
    }
    return result
  }

  /// Ordinary backpropagation of u: a_0…a_L and g_0…g_L, g_k = uᵀ ∂y/∂v_k, g_0 = uᵀ ∂y/∂x.
  func backpropagation(_ x: [Double], pulling u: [Double]) -> (a: [[Double]], g: [[Double]]) {
    var random = SplitMix(seed: 0)
    var activations = [x]
    var slopes: [[Double]] = []
    for (index, layer) in network.shape.layers.enumerated() {
      var a = fields(index, activations[index], moving: nil, &random)
      var slope = [Double](repeating: 0, count: a.count)
      apply(layer, &a, &slope)
      activations.append(a)
      slopes.append(slope)
    }
    var gradients = [u]
    for index in stride(from: network.shape.layers.count - 1, through: 0, by: -1) {
      let layer = network.shape.layers[index]
      var g = gradients[0]
      pullThrough(layer, &g, slopes[index])
      gradients[0] = g
      let weights = network.weights[index]
      var below = [Double](repeating: 0, count: layer.inputs)
      for j in 0..<layer.outputs {
        for i in 0..<layer.inputs {
          below[i] += g[j] * Double(weights.span[j * layer.inputs + i])
        }
      }
      gradients.insert(below, at: 0)
    }
    return (activations, gradients)
  }

  private func fields(
    _ index: Int, _ a: [Double], moving step: Double?, _ random: inout SplitMix
  ) -> [Double] {
    let layer = network.shape.layers[index]
    let weights = network.weights[index]
    var v = [Double](repeating: 0, count: layer.outputs)
    for j in 0..<layer.outputs {
      var sum = 0.0
      for i in 0..<layer.inputs {
        var w = Double(weights.span[j * layer.inputs + i])
        if let step { w += step * random.number() }
        sum += w * a[i]
      }
      v[j] = sum
    }
    if let biases = network.biases[index] {
      for j in 0..<layer.outputs {
        v[j] += Double(biases.span[j])
        if let step { v[j] += step * random.number() }
      }
    }
    return v
  }

  private func apply(_ layer: LayerShape, _ rows: inout [Double], _ slopes: inout [Double]) {
    var v = rows.mutableSpan
    var s = slopes.mutableSpan
    layer.activation.apply(to: &v, width: layer.outputs, slopes: &s)
  }

  private func pullThrough(_ layer: LayerShape, _ row: inout [Double], _ slopes: [Double]) {
    var g = row.mutableSpan
    layer.activation.pullBack(
      &g, slopes: slopes.span, samples: 1, rowsPerSample: 1, width: layer.outputs)
  }
}

extension Activation {
  /// Where φ is not smooth: its kinks, and where softplus turns into a line.
  fileprivate var breaks: [Double] {
    if case .softplus(let beta, let threshold) = self { return [threshold / beta] }
    return kinks
  }
}

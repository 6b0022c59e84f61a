import Glibc
package import Jacobians

/// The seed's formulas, one sample and one number at a time: slow, plain, and apart from the engine.
///
/// ∂y/∂v_k is multiplied out from layer k upwards (the engine goes from the outputs down), every ∂φ/∂v is a
/// full matrix, and activations are written as in a textbook.
package struct PlainNetwork {
  package struct Layer {
    package let weights: [[Double]]
    package let biases: [Double]?
    package let activation: Activation
  }
  package let layers: [Layer]

  /// Widens a network's numbers.
  package init<T: Scalar>(_ network: Network<T>) {
    layers = network.shape.layers.enumerated().map { k, shape in
      let w = network.weights[k].array
      var rows: [[Double]] = []
      for j in 0..<shape.outputs {
        rows.append((0..<shape.inputs).map { Double(w[j * shape.inputs + $0]) })
      }
      let b = network.biases[k]?.array.map { Double($0) }
      return Layer(weights: rows, biases: b, activation: shape.activation)
    }
  }

  /// v_k of every layer.
  package func fields(_ x: [Double]) -> [[Double]] {
    var a = x
    return layers.map { layer in
      let v = zip(layer.weights, layer.biases ?? [Double](repeating: 0, count: layer.weights.count))
        .map { row, bias in zip(row, a).reduce(bias) { $0 + $1.0 * $1.1 } }
      a = PlainNetwork.values(layer.activation, v)
      return v
    }
  }

  /// a_0…a_L.
  package func activations(_ x: [Double]) -> [[Double]] {
    [x] + zip(layers, fields(x)).map { PlainNetwork.values($0.activation, $1) }
  }

  /// y.
  package func outputs(_ x: [Double]) -> [Double] { activations(x)[layers.count] }

  /// δ_k = ∂y/∂v_k, m rows of n_k; δ_0 = ∂y/∂x.
  package func localGradient(_ k: Int, _ x: [Double]) -> [[Double]] {
    let v = fields(x)
    var product: [[Double]]
    if k == 0 {
      product = x.indices.map { i in x.indices.map { $0 == i ? 1 : 0 } }
    } else {
      product = PlainNetwork.jacobian(layers[k - 1].activation, v[k - 1])
    }
    for l in k..<layers.count {
      product = PlainNetwork.product(layers[l].weights, product)
      product = PlainNetwork.product(
        PlainNetwork.jacobian(layers[l].activation, v[l]), product)
    }
    return product
  }

  /// ∂y/∂ one parameter array: m rows, each as long as the array.
  package func jacobian(_ parameter: Parameter, _ x: [Double]) -> [[Double]] {
    let delta = localGradient(parameter.layer, x)
    guard parameter.kind == .weights else { return delta }
    let a = activations(x)[parameter.layer - 1]
    return delta.map { row in row.flatMap { d in a.map { d * $0 } } }
  }

  /// ½ ‖y − t‖².
  package func loss(_ x: [Double], _ t: [Double]) -> Double {
    zip(outputs(x), t).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 2
  }

  /// (y − t)ᵀ ∂y/∂ one parameter array.
  package func lossGradient(_ parameter: Parameter, _ x: [Double], _ t: [Double]) -> [Double] {
    let u = zip(outputs(x), t).map { $0 - $1 }
    let j = jacobian(parameter, x)
    return j[0].indices.map { i in u.indices.reduce(0) { $0 + u[$1] * j[$1][i] } }
  }

  static func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    a.map { row in
      b[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * b[$1][j] } }
    }
  }

  /// φ of a whole layer.
  package static func values(_ activation: Activation, _ v: [Double]) -> [Double] {
    switch activation {
    case .softmax, .logSoftmax:
      let top = v.max() ?? 0
      let sum = v.reduce(0) { $0 + exp($1 - top) }
      return activation == .softmax
        ? v.map { exp($0 - top) / sum } : v.map { $0 - top - log(sum) }
    default: return v.map { value(activation, $0) }
    }
  }

  /// ∂φ_i/∂v_j of a whole layer.
  package static func jacobian(_ activation: Activation, _ v: [Double]) -> [[Double]] {
    let n = v.indices
    switch activation {
    case .softmax:
      let s = values(.softmax, v)
      return n.map { i in n.map { j in s[i] * ((i == j ? 1 : 0) - s[j]) } }
    case .logSoftmax:
      let s = values(.softmax, v)
      return n.map { i in n.map { j in (i == j ? 1 : 0) - s[j] } }
    default: return n.map { i in n.map { j in i == j ? slope(activation, v[i]) : 0 } }
    }
  }

  /// φ(v), textbook form; only for arguments where that form is exact enough.
  package static func value(_ activation: Activation, _ v: Double) -> Double {
    switch activation {
    case .identity: return v
    case .tanh: return Glibc.tanh(v)
    case .sigmoid: return 1 / (1 + exp(-v))
    case .relu: return max(0, v)
    case .leakyReLU(let slope): return v > 0 ? v : slope * v
    case .elu(let alpha): return v > 0 ? v : alpha * expm1(v)
    case .selu:
      return 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * expm1(v))
    case .softplus(let beta, let threshold):
      return v * beta > threshold ? v : log1p(exp(beta * v)) / beta
    case .softsign: return v / (1 + abs(v))
    case .gelu: return v * 0.5 * (1 + erf(v / 2.0.squareRoot()))
    case .geluTanh:
      return 0.5 * v * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * (v + 0.044715 * pow(v, 3))))
    case .silu: return v / (1 + exp(-v))
    case .hardTanh(let minimum, let maximum): return min(max(v, minimum), maximum)
    case .sin: return Glibc.sin(v)
    case .softmax, .logSoftmax: preconditionFailure("not elementwise")
    }
  }

  /// φ'(v), textbook form, with PyTorch's choice at kinks.
  package static func slope(_ activation: Activation, _ v: Double) -> Double {
    switch activation {
    case .identity: return 1
    case .tanh: return 1 / pow(cosh(v), 2)
    case .sigmoid: return 1 / (2 + exp(v) + exp(-v))
    case .relu: return v > 0 ? 1 : 0
    case .leakyReLU(let slope): return v > 0 ? 1 : slope
    case .elu(let alpha): return v > 0 ? 1 : alpha * exp(v)
    case .selu:
      return 1.0507009873554805 * (v > 0 ? 1 : 1.6732632423543772 * exp(v))
    case .softplus(let beta, let threshold):
      return v * beta > threshold ? 1 : 1 / (1 + exp(-beta * v))
    case .softsign: return 1 / pow(1 + abs(v), 2)
    case .gelu:
      return 0.5 * (1 + erf(v / 2.0.squareRoot()))
        + v * exp(-v * v / 2) / (2 * Double.pi).squareRoot()
    case .geluTanh:
      let c = (2 / Double.pi).squareRoot()
      let u = c * (v + 0.044715 * pow(v, 3))
      return 0.5 * (1 + Glibc.tanh(u))
        + 0.5 * v * (1 - pow(Glibc.tanh(u), 2)) * c * (1 + 3 * 0.044715 * v * v)
    case .silu:
      let s = 1 / (1 + exp(-v))
      return s * (1 + v * (1 - s))
    case .hardTanh(let minimum, let maximum): return v > minimum && v < maximum ? 1 : 0
    case .sin: return Glibc.cos(v)
    case .softmax, .logSoftmax: preconditionFailure("not elementwise")
    }
  }
}

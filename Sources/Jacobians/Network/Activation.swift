/// A layer's activation φ, with the defaults and the derivatives at kinks of PyTorch.
package enum Activation: Hashable, Sendable {
  /// φ(v) = v.
  case identity
  /// φ(v) = tanh v.
  case tanh
  /// φ(v) = 1 / (1 + e⁻ᵛ).
  case sigmoid
  /// φ(v) = max(0, v); φ'(0) = 0.
  case relu
  /// φ(v) = v for v > 0, else slope · v; φ'(0) = slope.
  case leakyReLU(slope: Double)
  /// φ(v) = v for v > 0, else α (eᵛ − 1).
  case elu(alpha: Double)
  /// φ(v) = λ v for v > 0, else λ α (eᵛ − 1), with the constants of Klambauer et al. 2017.
  case selu
  /// φ(v) = ln(1 + e^{βv}) / β, linear where βv > threshold.
  case softplus(beta: Double, threshold: Double)
  /// φ(v) = v / (1 + |v|).
  case softsign
  /// φ(v) = v Φ(v), Φ the normal distribution function.
  case gelu
  /// φ(v) = ½ v (1 + tanh(√(2/π) (v + 0.044715 v³))).
  case geluTanh
  /// φ(v) = v / (1 + e⁻ᵛ).
  case silu
  /// φ(v) = v clamped to [minimum, maximum]; the derivative at both ends is 0.
  case hardTanh(minimum: Double, maximum: Double)
  /// φ(v) = sin v.
  case sin
  /// φ(v)_i = e^{v_i} / Σ_j e^{v_j}; its derivative is a full n × n matrix.
  case softmax
  /// φ(v)_i = v_i − ln Σ_j e^{v_j}; its derivative is a full n × n matrix.
  case logSoftmax

  /// Every activation by the job document's name, with its parameters at their defaults.
  package static let named: [(name: String, activation: Activation)] = [
    ("identity", .identity), ("tanh", .tanh), ("sigmoid", .sigmoid), ("relu", .relu),
    ("leaky-relu", .leakyReLU(slope: 0.01)), ("elu", .elu(alpha: 1)), ("selu", .selu),
    ("softplus", .softplus(beta: 1, threshold: 20)), ("softsign", .softsign), ("gelu", .gelu),
    ("gelu-tanh", .geluTanh), ("silu", .silu), ("hard-tanh", .hardTanh(minimum: -1, maximum: 1)),
    ("sin", .sin), ("softmax", .softmax), ("log-softmax", .logSoftmax),
  ]

  /// The activation of that name with its defaults, or nil.
  package init?(named name: String) {
    guard let found = Activation.named.first(where: { $0.name == name }) else { return nil }
    self = found.activation
  }

  /// The job document's name of this activation.
  package var name: String {
    switch self {
    case .identity: "identity"
    case .tanh: "tanh"
    case .sigmoid: "sigmoid"
    case .relu: "relu"
    case .leakyReLU: "leaky-relu"
    case .elu: "elu"
    case .selu: "selu"
    case .softplus: "softplus"
    case .softsign: "softsign"
    case .gelu: "gelu"
    case .geluTanh: "gelu-tanh"
    case .silu: "silu"
    case .hardTanh: "hard-tanh"
    case .sin: "sin"
    case .softmax: "softmax"
    case .logSoftmax: "log-softmax"
    }
  }

  /// The parameters this activation takes in a job document, with their values.
  package var parameters: [(name: String, value: Double)] {
    switch self {
    case .leakyReLU(let slope): [("slope", slope)]
    case .elu(let alpha): [("alpha", alpha)]
    case .softplus(let beta, let threshold): [("beta", beta), ("threshold", threshold)]
    case .hardTanh(let minimum, let maximum): [("minimum", minimum), ("maximum", maximum)]
    default: []
    }
  }

  /// This activation with one parameter replaced, or nil when it has none of that name.
  package func setting(_ parameter: String, to value: Double) -> Activation? {
    switch (self, parameter) {
    case (.leakyReLU, "slope"): .leakyReLU(slope: value)
    case (.elu, "alpha"): .elu(alpha: value)
    case (.softplus(_, let threshold), "beta"): .softplus(beta: value, threshold: threshold)
    case (.softplus(let beta, _), "threshold"): .softplus(beta: beta, threshold: value)
    case (.hardTanh(_, let maximum), "minimum"): .hardTanh(minimum: value, maximum: maximum)
    case (.hardTanh(let minimum, _), "maximum"): .hardTanh(minimum: minimum, maximum: value)
    default: nil
    }
  }

  /// Whether ∂φ/∂v is diagonal: true for all but `softmax` and `log-softmax`.
  package var isElementwise: Bool { self != .softmax && self != .logSoftmax }
}

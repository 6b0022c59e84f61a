/// One layer without its numbers: `W_k` is (outputs, inputs), `b_k` is (outputs).
package struct LayerShape: Hashable, Sendable {
  /// n_{k−1}.
  package let inputs: Int
  /// n_k.
  package let outputs: Int
  /// Whether there is a b_k; without one there is no gradient for it.
  package let hasBiases: Bool
  /// φ_k.
  package let activation: Activation

  /// Describes a layer.
  package init(inputs: Int, outputs: Int, hasBiases: Bool, activation: Activation) {
    self.inputs = inputs
    self.outputs = outputs
    self.hasBiases = hasBiases
    self.activation = activation
  }

  /// How many weights and biases the layer has.
  package var parameterCount: Int { inputs * outputs + (hasBiases ? outputs : 0) }
}

/// A feed-forward network without its numbers; layers are numbered from 1, as the seed's superscripts.
package struct NetworkShape: Hashable, Sendable {
  /// Layers 1…L, at index 0…L−1; each layer's inputs are the outputs of the one before.
  package let layers: [LayerShape]

  /// Describes a network of at least one layer whose shapes chain.
  package init(layers: [LayerShape]) {
    precondition(!layers.isEmpty, "a network has at least one layer")
    for (a, b) in zip(layers, layers.dropFirst()) {
      precondition(a.outputs == b.inputs, "a layer takes what the one before gives")
    }
    self.layers = layers
  }

  /// n_0.
  package var inputs: Int { layers[0].inputs }
  /// m = n_L.
  package var outputs: Int { layers[layers.count - 1].outputs }
  /// P, the number of all weights and biases.
  package var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }

  /// W1, b1, … WL, bL: the column order of every matrix of parameters; absent biases are left out.
  package var parameters: [Parameter] {
    layers.indices.flatMap { k in
      layers[k].hasBiases
        ? [Parameter(kind: .weights, layer: k + 1), Parameter(kind: .biases, layer: k + 1)]
        : [Parameter(kind: .weights, layer: k + 1)]
    }
  }

  /// The shape of one parameter array: (n_k, n_{k−1}) or (n_k).
  package func shape(of parameter: Parameter) -> [Int] {
    let layer = layers[parameter.layer - 1]
    return parameter.kind == .weights ? [layer.outputs, layer.inputs] : [layer.outputs]
  }

  /// How many numbers one parameter array has.
  package func count(of parameter: Parameter) -> Int { shape(of: parameter).reduce(1, *) }
}

/// One parameter array of a network: `W_k` or `b_k`.
package struct Parameter: Hashable, Sendable, CustomStringConvertible {
  /// Weights or biases.
  package enum Kind: Sendable { case weights, biases }
  /// Whether it is `W_k` or `b_k`.
  package let kind: Kind
  /// k, from 1.
  package let layer: Int

  /// Names a parameter array.
  package init(kind: Kind, layer: Int) {
    self.kind = kind
    self.layer = layer
  }

  /// `W1`, `b1`, …
  package var description: String { (kind == .weights ? "W" : "b") + String(layer) }
}

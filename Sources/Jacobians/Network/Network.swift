/// A feed-forward network with its numbers: a_k = φ_k(W_k a_{k−1} + b_k), a_0 = x.
package struct Network<T: Scalar>: Sendable {
  /// Layers without their numbers.
  package let shape: NetworkShape
  /// W_1…W_L at index 0…L−1, each (n_k, n_{k−1}), row by row.
  package let weights: [Values<T>]
  /// b_1…b_L at index 0…L−1, each (n_k); nil where the layer has none.
  package let biases: [Values<T>?]

  /// Joins a shape and its numbers; their counts must agree.
  package init(shape: NetworkShape, weights: [Values<T>], biases: [Values<T>?]) {
    precondition(weights.count == shape.layers.count && biases.count == shape.layers.count)
    for (k, layer) in shape.layers.enumerated() {
      precondition(weights[k].count == layer.inputs * layer.outputs, "W is (n_k, n_{k−1})")
      precondition((biases[k] != nil) == layer.hasBiases, "biases are where the shape says")
      precondition((biases[k]?.count ?? layer.outputs) == layer.outputs, "b is (n_k)")
    }
    self.shape = shape
    self.weights = weights
    self.biases = biases
  }
}

/// What a job computes on: a network, its inputs and, where a gradient needs them, targets.
package struct Problem<T: Scalar>: Sendable {
  /// The network.
  package let network: Network<T>
  /// x, (batch, n_0), row by row.
  package let inputs: Values<T>
  /// t, (batch, m), row by row.
  package let targets: Values<T>?
  /// B, the number of samples.
  package let batch: Int
  /// Arrays that gradients take, by their place in the document, as `gradients[1].vectors`.
  package let operands: [String: Values<T>]

  /// Joins a network and its data; their shapes must agree.
  package init(
    network: Network<T>, inputs: Values<T>, targets: Values<T>?, batch: Int,
    operands: [String: Values<T>] = [:]
  ) {
    precondition(inputs.count == batch * network.shape.inputs, "inputs are (batch, n_0)")
    precondition(targets.map { $0.count == batch * network.shape.outputs } ?? true, "(batch, m)")
    self.network = network
    self.inputs = inputs
    self.targets = targets
    self.batch = batch
    self.operands = operands
  }
}

extension Problem {
  /// The array at a place of the document; the planner has checked that it is there, and its shape.
  func operand(_ place: String) -> Values<T> {
    guard let values = operands[place] else {
      preconditionFailure("a problem has the arrays its plan was made for")
    }
    return values
  }
}

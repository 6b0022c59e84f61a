package import Jacobians

/// A valid job: every key known, every array found, shapes that chain; no number of a file read yet.
package struct JobDocument: Sendable {
  /// Layers, shapes and activations.
  package let network: NetworkShape
  /// B.
  package let batch: Int
  /// The number type of computation and results.
  package let dtype: ScalarType
  /// What is asked for; the planner judges names and options.
  package let gradients: [GradientRequest]
  /// From −1000 to 1000; higher ones run earlier.
  package let priority: Int
  /// Whether the results are to be checked.
  package let verify: Bool
  /// Whether there are targets t.
  package var hasTargets: Bool { arrays.targets != nil }
  /// Where the numbers are.
  package let arrays: JobArrays

  /// Finds the arrays of a written job and checks that their shapes fit together.
  init(_ job: WrittenJob, finder: inout ArrayFinder) throws(FormatError) {
    var check = ShapeCheck(finder: finder)
    var layers: [LayerShape] = []
    var weights: [StoredArray] = []
    var biases: [StoredArray?] = []
    for (index, layer) in job.layers.enumerated() {
      let w = try check.weights(layer.weights, after: layers.last, index: index)
      let b = try layer.biases.map { (biases) throws(FormatError) in
        try check.biases(biases, outputs: w.shape[0])
      }
      weights.append(w)
      biases.append(b)
      layers.append(
        LayerShape(
          inputs: w.shape[1], outputs: w.shape[0], hasBiases: b != nil,
          activation: layer.activation))
    }
    network = NetworkShape(layers: layers)
    let inputs = try check.samples(
      job.inputs, width: network.inputs, "what the first layer takes", batch: nil)
    batch = inputs.shape.count == 2 ? inputs.shape[0] : 1
    let targets: StoredArray?
    if let written = job.targets {
      targets = try check.samples(
        written, width: network.outputs, "what the last layer gives", batch: batch)
    } else {
      targets = nil
    }
    arrays = JobArrays(weights: weights, biases: biases, inputs: inputs, targets: targets)
    dtype = job.dtype
    gradients = job.gradients
    priority = job.priority
    verify = job.verify
    finder = check.finder
    try check.total(arrays)
  }
}

/// The arrays of a job where they were found.
package struct JobArrays: Sendable {
  /// W_1…W_L.
  package let weights: [StoredArray]
  /// b_1…b_L; nil where a layer has none.
  package let biases: [StoredArray?]
  /// x, (B, n_0) or (n_0).
  package let inputs: StoredArray
  /// t, (B, m) or (m).
  package let targets: StoredArray?

  /// All of them, with the names they get in a packed job file: `W1`, `b1`, …, `inputs`, `targets`.
  package var named: [(name: String, array: StoredArray)] {
    var named: [(name: String, array: StoredArray)] = []
    for k in weights.indices {
      named.append(("W\(k + 1)", weights[k]))
      if let biases = biases[k] { named.append(("b\(k + 1)", biases)) }
    }
    named.append(("inputs", inputs))
    if let targets { named.append(("targets", targets)) }
    return named
  }
}

package import Jacobians

/// A valid job: every key known, every array found, shapes that chain; no number of a file read yet.
package struct JobDocument: Sendable {
  /// Layers, shapes and activations.
  package let network: NetworkShape
  /// B: samples, or sequences of a recurrent network.
  package let batch: Int
  /// What is fed back and how long the sequences are; nil for a feed-forward network.
  package let recurrent: Recurrent?
  /// The number type of computation and results.
  package let dtype: ScalarType
  /// What is asked for; the planner judges names and options.
  package let gradients: [GradientRequest]
  /// From −1000 to 1000; higher ones run earlier.
  package let priority: Int
  /// Seconds that an attempt may run; nil leaves it to the queue.
  package let timeLimit: Double?
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
    let data: Data
    if let recurrence = job.recurrence {
      data = try JobDocument.sequences(job, recurrence, network, &check)
    } else {
      data = try JobDocument.samples(job, network, &check)
    }
    batch = data.batch
    recurrent = data.recurrent
    var requests: [GradientRequest] = []
    var operands: [(place: String, array: StoredArray)] = []
    for (i, gradient) in job.gradients.enumerated() {
      let own = try check.operands(of: gradient, at: "gradients[\(i)]")
      requests.append(GradientRequest(name: gradient.name, options: own.options))
      operands += own.arrays
    }
    arrays = JobArrays(
      weights: weights, biases: biases, inputs: data.inputs, targets: data.targets,
      initialState: data.initialState, operands: operands)
    dtype = job.dtype
    gradients = requests
    priority = job.priority
    timeLimit = job.timeLimit
    verify = job.verify
    finder = check.finder
    try check.total(arrays)
  }

  /// What the network is fed with, and its shape.
  private struct Data {
    let batch: Int
    let inputs: StoredArray
    let targets: StoredArray?
    var initialState: StoredArray?
    var recurrent: Recurrent?
  }

  private static func samples(
    _ job: WrittenJob, _ network: NetworkShape, _ check: inout ShapeCheck
  ) throws(FormatError) -> Data {
    let inputs = try check.samples(
      job.inputs, width: network.inputs, "what the first layer takes", batch: nil)
    let batch = inputs.shape.count == 2 ? inputs.shape[0] : 1
    var targets: StoredArray?
    if let written = job.targets {
      targets = try check.samples(
        written, width: network.outputs, "what the last layer gives", batch: batch)
    }
    return Data(batch: batch, inputs: inputs, targets: targets)
  }

  private static func sequences(
    _ job: WrittenJob, _ written: WrittenJob.WrittenRecurrence, _ network: NetworkShape,
    _ check: inout ShapeCheck
  ) throws(FormatError) -> Data {
    let recurrence = try check.recurrence(written, of: network)
    let inputs = try check.sequences(
      job.inputs, width: network.outerInputs(recurrence),
      "what the first layer takes beside the recurrent units", like: nil)
    let batch = inputs.shape.count == 3 ? inputs.shape[0] : 1
    let steps = inputs.shape[inputs.shape.count - 2]
    var targets: StoredArray?
    if let array = job.targets {
      targets = try check.sequences(
        array, width: network.outerOutputs(recurrence),
        "what the last layer gives beside the recurrent units", like: inputs.shape)
    }
    var initialState: StoredArray?
    if let array = written.initialState {
      initialState = try check.initialState(array, units: recurrence.units, batch: batch)
    }
    if let lengths = written.lengths {
      try check.lengths(lengths, batch: batch, steps: steps)
    }
    let part = Recurrent(
      recurrence: recurrence,
      shape: SequenceShape(batch: batch, steps: steps, lengths: written.lengths?.steps),
      strategy: written.strategy)
    return Data(
      batch: batch, inputs: inputs, targets: targets, initialState: initialState, recurrent: part)
  }
}

extension JobDocument {
  /// What a document says of a recurrent network beside its layers.
  package struct Recurrent: Hashable, Sendable {
    /// How many outputs are fed back.
    package let recurrence: Recurrence
    /// How many sequences there are, and how long.
    package let shape: SequenceShape
    /// The strategy that the job forces, if it does.
    package let strategy: RecurrentStrategy?
  }
}

/// The arrays of a job where they were found.
package struct JobArrays: Sendable {
  /// W_1…W_L.
  package let weights: [StoredArray]
  /// b_1…b_L; nil where a layer has none.
  package let biases: [StoredArray?]
  /// x, (B, n_0) or (n_0); of a recurrent network (B, T, n_x) or (T, n_x).
  package let inputs: StoredArray
  /// t, (B, m) or (m); of a recurrent network d, (B, T, |y|) or (T, |y|).
  package let targets: StoredArray?
  /// r(0) of a recurrent network, (B, R) or (R).
  package let initialState: StoredArray?
  /// Arrays among the options of gradients, by their places, as `gradients[1].vectors` or `gradients[1].vectors.W1`.
  package let operands: [(place: String, array: StoredArray)]

  /// All of them, with the names they get in a packed job file: `W1`, `b1`, …, `inputs`, `targets`, `initial_state`,
  /// and the places of the others.
  package var named: [(name: String, array: StoredArray)] {
    var named: [(name: String, array: StoredArray)] = []
    for k in weights.indices {
      named.append(("W\(k + 1)", weights[k]))
      if let biases = biases[k] { named.append(("b\(k + 1)", biases)) }
    }
    named.append(("inputs", inputs))
    if let targets { named.append(("targets", targets)) }
    if let initialState { named.append(("initial_state", initialState)) }
    for (place, array) in operands { named.append((place, array)) }
    return named
  }
}

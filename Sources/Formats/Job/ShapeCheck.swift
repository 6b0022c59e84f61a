import Jacobians

/// Finds arrays and checks their shapes against one another, in the order of the document.
struct ShapeCheck {
  /// Where the arrays are looked for.
  var finder: ArrayFinder

  /// W_k: (n_k, n_{k−1}), its columns as many as the layer before has outputs.
  mutating func weights(
    _ written: WrittenJob.WrittenArray, after before: LayerShape?, index: Int
  ) throws(FormatError) -> StoredArray {
    let array = try found(written)
    let shape = Quotation.shape(array.shape)
    guard array.shape.count == 2 else {
      throw written.field.refusal(
        "the shape \(shape) is not that of a matrix", remedy: "weights are (outputs, inputs)")
    }
    if let before, array.shape[1] != before.outputs {
      let shapeBefore = Quotation.shape([before.outputs, before.inputs])
      let isTransposed = array.shape[0] == before.outputs
      throw written.field.refusal(
        "the shape \(shape) does not follow \(shapeBefore) of layers[\(index - 1)]: "
          + "\(Quotation.count(array.shape[1], "column")) for "
          + "\(Quotation.count(before.outputs, "output")) of the layer before",
        remedy: "weights are (outputs, inputs)" + (isTransposed ? "; are they transposed?" : ""))
    }
    return array
  }

  /// b_k: (n_k).
  mutating func biases(
    _ written: WrittenJob.WrittenArray, outputs: Int
  ) throws(FormatError) -> StoredArray {
    let array = try found(written)
    guard array.shape == [outputs] else {
      throw written.field.refusal(
        "the shape \(Quotation.shape(array.shape)) is not (\(outputs)), the outputs of the weights")
    }
    return array
  }

  /// x or t: (B, width), or (width) for one sample; `batch` is B where it is known already.
  mutating func samples(
    _ written: WrittenJob.WrittenArray, width: Int, _ words: String, batch: Int?
  ) throws(FormatError) -> StoredArray {
    let array = try found(written)
    let rows = batch.map(String.init) ?? "B"
    let allowed = batch ?? 1 == 1 ? "(\(rows), \(width)) or (\(width))" : "(\(rows), \(width))"
    guard (1...2).contains(array.shape.count), array.shape.last == width else {
      throw written.field.refusal(
        "the shape \(Quotation.shape(array.shape)) is not \(allowed): \(width) is \(words)")
    }
    let samples = array.shape.count == 2 ? array.shape[0] : 1
    guard samples == batch ?? samples else {
      throw written.field.refusal(
        "the shape \(Quotation.shape(array.shape)) is not \(allowed), as the inputs have "
          + Quotation.count(batch ?? samples, "sample"))
    }
    return array
  }

  /// R of a recurrent network: fewer than the inputs and than the outputs of its layers.
  func recurrence(
    _ written: WrittenJob.WrittenRecurrence, of network: NetworkShape
  ) throws(FormatError) -> Recurrence {
    let units = written.units.count
    guard units < network.inputs, units < network.outputs else {
      let limit = min(network.inputs, network.outputs)
      throw written.units.field.refusal(
        "\(Quotation.count(units, "unit")) cannot be fed back through \(network.inputs) inputs and "
          + "\(Quotation.count(network.outputs, "output")): the layers take (x, r) and give (y, r)",
        remedy: limit > 1 ? "at most \(limit - 1)" : "widen the first and the last layer")
    }
    return Recurrence(units: units)
  }

  /// x or d of a recurrent network: (B, T, width), or (T, width) for one sequence.
  mutating func sequences(
    _ written: WrittenJob.WrittenArray, width: Int, _ words: String, like inputs: [Int]?
  ) throws(FormatError) -> StoredArray {
    let array = try found(written)
    let shape = array.shape
    let axes = inputs.map { $0.dropLast().map(String.init) } ?? ["B", "T"]
    let allowed = "(\((axes + ["\(width)"]).joined(separator: ", ")))"
    guard (2...3).contains(shape.count), shape.last == width else {
      throw written.field.refusal(
        "the shape \(Quotation.shape(shape)) is not \(allowed)"
          + (inputs == nil ? " or (T, \(width))" : "") + ": \(width) is \(words)")
    }
    if let inputs, Array(shape.dropLast()) != Array(inputs.dropLast()) {
      throw written.field.refusal(
        "the shape \(Quotation.shape(shape)) is not \(allowed): the inputs have the shape "
          + Quotation.shape(inputs))
    }
    return array
  }

  /// r(0): (R) for all sequences, or (B, R).
  mutating func initialState(
    _ written: WrittenJob.WrittenArray, units: Int, batch: Int
  ) throws(FormatError) -> StoredArray {
    let array = try found(written)
    guard array.shape == [units] || array.shape == [batch, units] else {
      throw written.field.refusal(
        "the shape \(Quotation.shape(array.shape)) is neither (\(units)) nor (\(batch), \(units)): there "
          + "are \(Quotation.count(units, "recurrent unit")) and \(Quotation.count(batch, "sequence"))"
      )
    }
    return array
  }

  /// The lengths of the sequences: one for each, 1…T.
  func lengths(
    _ written: (steps: [Int], field: DocumentField), batch: Int, steps: Int
  ) throws(FormatError) {
    guard written.steps.count == batch else {
      throw written.field.refusal(
        "there are \(Quotation.count(written.steps.count, "length")) for "
          + Quotation.count(batch, "sequence"))
    }
    for (i, length) in written.steps.enumerated() where !(1...steps).contains(length) {
      throw written.field.refusal(
        "sequence \(i) has the length \(length)", remedy: "allowed: 1 to \(steps)")
    }
  }

  /// A gradient's options with the shapes of the arrays among them, and those arrays by their places.
  mutating func operands(
    of gradient: WrittenJob.WrittenGradient, at place: String
  ) throws(FormatError) -> (
    options: [String: GradientRequest.Option], arrays: [(place: String, array: StoredArray)]
  ) {
    var options = gradient.options
    var arrays: [(place: String, array: StoredArray)] = []
    var parts: [String: [String: [Int]]] = [:]
    for operand in gradient.arrays {
      let array = try found(operand.array)
      let option = "\(place).\(operand.option)"
      if let parameter = operand.parameter {
        parts[operand.option, default: [:]][parameter] = array.shape
        arrays.append(("\(option).\(parameter)", array))
      } else {
        options[operand.option] = .array(shape: array.shape)
        arrays.append((option, array))
      }
    }
    for (option, shapes) in parts { options[option] = .parameterArrays(shapes) }
    return (options, arrays)
  }

  /// Refuses a job whose numbers are too many to count: one tensor may stand for many layers.
  func total(_ arrays: JobArrays) throws(FormatError) {
    var total = 0
    for (_, array) in arrays.named {
      let (sum, overflow) = total.addingReportingOverflow(array.count)
      if overflow { throw FormatError(file: finder.file, reason: "the job has too many numbers") }
      total = sum
    }
  }

  private mutating func found(
    _ written: WrittenJob.WrittenArray
  ) throws(FormatError) -> StoredArray {
    let array = try finder.find(written)
    if array.shape.contains(0) {
      throw written.field.refusal("the shape \(Quotation.shape(array.shape)) has no numbers")
    }
    return array
  }
}

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
        "the shape \(Quotation.shape(array.shape)) is not \(allowed): there are \(rows) samples "
          + "of inputs")
    }
    return array
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

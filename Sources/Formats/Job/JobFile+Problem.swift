package import Jacobians

extension JobFile {
  /// The network, inputs and targets with their numbers: borrowed from the mapped file where type and place allow it.
  package func problem<T: Scalar>(_ type: T.Type) throws(FormatError) -> Problem<T> {
    var maps = FileMaps()
    let network = try network(type, &maps)
    return Problem(
      network: network, inputs: try document.arrays.inputs.values(type, maps: &maps),
      targets: try optional(document.arrays.targets, type, &maps), batch: document.batch,
      operands: try operands(type, &maps))
  }

  /// The same of a recurrent network.
  package func recurrentProblem<T: Scalar>(
    _ type: T.Type
  ) throws(FormatError) -> RecurrentProblem<T> {
    guard let part = document.recurrent else {
      preconditionFailure("a plan for a recurrent network is made of a recurrent document")
    }
    var maps = FileMaps()
    let network = try network(type, &maps)
    var initialState = try optional(document.arrays.initialState, type, &maps)
    if let shared = initialState, shared.count < part.shape.batch * part.recurrence.units {
      // One r(0) for all sequences.
      initialState = Values(count: part.shape.batch * shared.count) {
        (rows: inout MutableSpan<T>) in
        for i in rows.indices { rows[i] = shared.span[i % shared.count] }
      }
    }
    return RecurrentProblem(
      network: network, recurrence: part.recurrence, shape: part.shape,
      inputs: try document.arrays.inputs.values(type, maps: &maps), initialState: initialState,
      targets: try optional(document.arrays.targets, type, &maps),
      operands: try operands(type, &maps))
  }

  /// The arrays that gradients take, by their places.
  private func operands<T: Scalar>(
    _ type: T.Type, _ maps: inout FileMaps
  ) throws(FormatError) -> [String: Values<T>] {
    var operands: [String: Values<T>] = [:]
    for (place, array) in document.arrays.operands {
      operands[place] = try array.values(type, maps: &maps)
    }
    return operands
  }

  private func network<T: Scalar>(
    _ type: T.Type, _ maps: inout FileMaps
  ) throws(FormatError) -> Network<T> {
    var weights: [Values<T>] = []
    var biases: [Values<T>?] = []
    for array in document.arrays.weights { weights.append(try array.values(type, maps: &maps)) }
    for array in document.arrays.biases { biases.append(try optional(array, type, &maps)) }
    return Network(shape: document.network, weights: weights, biases: biases)
  }

  private func optional<T: Scalar>(
    _ array: StoredArray?, _ type: T.Type, _ maps: inout FileMaps
  ) throws(FormatError) -> Values<T>? {
    guard let array else { return nil }
    return try array.values(type, maps: &maps)
  }
}

package import Jacobians

extension JobFile {
  /// The network, inputs and targets with their numbers: borrowed from the mapped file where type and place allow it.
  package func problem<T: Scalar>(_ type: T.Type) throws(FormatError) -> Problem<T> {
    var maps = FileMaps()
    let arrays = document.arrays
    var weights: [Values<T>] = []
    var biases: [Values<T>?] = []
    for array in arrays.weights { weights.append(try array.values(type, maps: &maps)) }
    for array in arrays.biases {
      if let array {
        biases.append(try array.values(type, maps: &maps))
      } else {
        biases.append(nil)
      }
    }
    let inputs = try arrays.inputs.values(type, maps: &maps)
    var targets: Values<T>?
    if let array = arrays.targets { targets = try array.values(type, maps: &maps) }
    return Problem(
      network: Network(shape: document.network, weights: weights, biases: biases),
      inputs: inputs, targets: targets, batch: document.batch)
  }
}

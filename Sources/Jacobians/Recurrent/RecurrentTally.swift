import Synchronization

/// What the numbers of a recurrent job were like, gathered from its threads.
final class RecurrentTally: Sendable {
  private let sum: Mutex<Numerics>

  /// Begins with the parameters.
  init<T: Scalar>(parameters network: Network<T>) {
    var first = Numerics()
    for (weights, biases) in zip(network.weights, network.biases) {
      first.parameters.add(Numerics.NonFinite(in: weights.span))
      if let biases { first.parameters.add(Numerics.NonFinite(in: biases.span)) }
    }
    sum = Mutex(first)
  }

  /// Adds what a pass saw.
  func add(_ numerics: Numerics) { sum.withLock { $0.add(numerics) } }

  /// All together.
  var numerics: Numerics { sum.withLock { $0 } }
}

extension Duration {
  /// As a number of seconds.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

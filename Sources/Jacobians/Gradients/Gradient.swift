/// One requested gradient: what it needs of the passes, its arrays, its cost, and how a block is contracted.
///
/// A new gradient is a type like this in a file of its own and an entry in `Gradients.all`.
package protocol Gradient: Sendable {
  /// The name in a job document, as `parameter-jacobian`.
  static var name: String { get }
  /// The options it takes beside `of`.
  static var options: [String] { get }

  /// Reads a request whose options are all among `options`.
  init(reading request: GradientOptions) throws(PlanError)

  /// What it reads of stages 1 and 2.
  var needs: Needs { get }
  /// Its arrays in a fixed order, for `batch` samples.
  func arrays(batch: Int) -> [ResultArray]
  /// Estimated operations of contracting one sample.
  var operationsPerSample: Double { get }
  /// Whether its arrays are sums over all samples; otherwise every sample has results of its own.
  var isSummed: Bool { get }

  /// Contracts one block: writes the samples' results, or adds the block's share to each sum.
  ///
  /// Implementations are specialised for Double and Float, as they are reached through `any Gradient`.
  func contract<T: Scalar>(_ block: borrowing Block<T>, into work: inout Work<T>) throws
}

extension Gradient {
  package var isSummed: Bool { false }
}

/// All gradients by name.
package enum Gradients {
  /// Every gradient a job document may ask for: the one table.
  package static let all: [any Gradient.Type] = [
    Outputs.self, ParameterJacobian.self, InputJacobian.self, LocalGradients.self, Loss.self,
    LossGradient.self,
  ]

  /// The names, in the order of the table.
  package static var names: [String] { all.map { $0.name } }
}

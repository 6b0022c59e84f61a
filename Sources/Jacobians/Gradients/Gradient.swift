/// One requested gradient: its options and its arrays; how it is computed a refinement says.
///
/// A new gradient is a type like this in a file of its own and an entry in `Gradients.all`.
package protocol Gradient: Sendable {
  /// The name in a job document, as `parameter-jacobian`.
  static var name: String { get }
  /// The options it takes beside `of`.
  static var options: [String] { get }

  /// Reads a request whose options are all among `options`.
  init(reading request: GradientOptions) throws(PlanError)

  /// Its arrays in a fixed order, for `batch` samples.
  func arrays(batch: Int) -> [ResultArray]
}

/// A gradient that is put together block by block: what it needs of the passes, its cost, and how a block is contracted.
package protocol BlockGradient: Gradient {
  /// What it reads of stages 1 and 2.
  var needs: Needs { get }
  /// Estimated operations of contracting one sample.
  var operationsPerSample: Double { get }
  /// Whether its arrays are sums over all samples; otherwise every sample has results of its own.
  var isSummed: Bool { get }
  /// Columns of the widest product it forms itself, for the memory in which OpenBLAS packs matrices.
  var widestProduct: Int { get }

  /// Lays out what it computes in, beside tile and sums, for the blocks of a job; nothing if it does not say.
  func layOut(for stages: Stages, in layout: inout ScratchLayout)
  /// Contracts one block: writes the samples' results, or adds the block's share to each sum.
  ///
  /// Implementations are specialised for Double and Float, as they are reached through `any Gradient`.
  func contract<T: Scalar>(_ block: borrowing Block<T>, into work: inout Work<T>) throws
  /// Completes a sum after the last block, where blocks add to a part of it only.
  func complete<T: Scalar>(_ sum: inout MutableSpan<T>, array: Int)
}

extension BlockGradient {
  package var isSummed: Bool { false }
  package var widestProduct: Int { 0 }
  package func layOut(for stages: Stages, in layout: inout ScratchLayout) {}
  package func complete<T: Scalar>(_ sum: inout MutableSpan<T>, array: Int) {}
}

/// All gradients by name.
package enum Gradients {
  /// Every gradient a job document may ask for: the one table.
  package static let all: [any Gradient.Type] = [
    Outputs.self, ParameterJacobian.self, InputJacobian.self, LocalGradients.self, Loss.self,
    LossGradient.self, JacobianVectorProduct.self, VectorJacobianProduct.self,
    GaussNewtonDiagonal.self, GaussNewtonProduct.self, GaussNewtonMatrix.self,
    NeuralTangentKernel.self, Norms.self, SingularValues.self,
  ]

  /// The names, in the order of the table.
  package static var names: [String] { all.map { $0.name } }
}

/// One requested gradient of a recurrent job: its arrays, and which pass computes it from what.
///
/// A new gradient is a type like this in a file of its own and an entry in `RecurrentGradients.all`.
package protocol RecurrentGradient: Sendable {
  /// The name in a job document, as `parameter-jacobian`.
  static var name: String { get }
  /// The options it takes beside `of`.
  static var options: [String] { get }

  /// Reads a request whose options are all among `options`.
  init(reading request: RecurrentOptions) throws(PlanError)

  /// Its arrays in a fixed order.
  func arrays(_ shape: SequenceShape) -> [ResultArray]
}

/// A gradient that needs of each step no other step's rows.
protocol StepGradient: RecurrentGradient {
  /// What it reads.
  var needs: StepNeeds { get }
  /// The steps whose rows its arrays have behind the batch; nil if they have none and are written after the last step.
  var stepAxis: StepSelection? { get }
  /// Writes what belongs to a window of steps.
  ///
  /// Implementations are specialised for Double and Float, as they are reached through `any StepGradient`.
  func write<T: Scalar>(_ block: StepBlock<T>, to writer: ResultWriter) throws
}

/// A gradient that is ∂z_o(n)/∂w of some outputs, steps and parameters.
protocol SweptGradient: RecurrentGradient {
  /// Which outputs of z.
  var outputs: OutputSubset { get }
  /// Which n.
  var selection: StepSelection { get }
  /// What becomes of the rows.
  var form: SweptForm { get }
}

/// What becomes of rows that are pulled back through time.
enum SweptForm: Sendable {
  /// Contracted to columns of parameters, an array for each or one for all.
  case columns([Parameter], isMatrix: Bool)
  /// Written as they are at every step.
  case pairs([PairSource])
}

/// All gradients of recurrent jobs by name.
package enum RecurrentGradients {
  /// Every gradient a recurrent job's document may ask for: the one table.
  package static let all: [any RecurrentGradient.Type] = [
    RecurrentOutputs.self, RecurrentParameterJacobian.self, StateJacobian.self,
    RecurrentInputJacobian.self, RecurrentLocalGradients.self, TransitionJacobian.self,
    InitialStateJacobian.self, RecurrentLoss.self, RecurrentLossGradient.self,
    RecurrentJacobianVectorProduct.self, RecurrentVectorJacobianProduct.self,
    RecurrentGaussNewtonDiagonal.self, RecurrentGaussNewtonProduct.self,
    RecurrentGaussNewtonMatrix.self, RecurrentNeuralTangentKernel.self, RecurrentNorms.self,
    RecurrentSingularValues.self,
  ]

  /// The names, in the order of the table.
  package static var names: [String] { all.map { $0.name } }
}

/// The options of one request of a recurrent job.
package struct RecurrentOptions: Sendable {
  /// The options that feed-forward gradients have too.
  package let base: GradientOptions
  /// Which outputs of f are fed back.
  package let recurrence: Recurrence
  /// How many sequences, how long.
  package let shape: SequenceShape

  /// f.
  var network: NetworkShape { base.network }
  /// |y|.
  var outerOutputs: Int { network.outerOutputs(recurrence) }

  /// The steps asked for.
  func steps() throws(PlanError) -> StepSelection { try base.steps(of: shape) }

  /// The outputs asked for among the first `count` of z.
  func outputs(of count: Int) throws(PlanError) -> OutputSubset {
    try base.outputs(of: count)
  }
}

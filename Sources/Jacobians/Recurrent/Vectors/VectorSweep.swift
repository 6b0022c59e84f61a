/// What a product of vectors with J, the Jacobian of a sequence's outputs at the steps asked for, consists of.
///
/// `directions` alone: J V. `cotangents` alone: uᵀJ. Directions and parameters to pull back to: Jᵀ H J V.
struct VectorSweep: Sendable {
  /// V, moved forwards through time.
  var directions: ParameterVectors?
  /// u, pulled back through time; with directions it is H J V instead.
  var cotangents: SequenceVectors?
  /// The loss whose Hessian stands between J V and Jᵀ.
  var loss: OutputLoss = .squaredError
  /// The parameters that rows are pulled back to: the arrays of the gradient; none for J V.
  var parameters: [Parameter] = []
  /// Which outputs of y.
  let outputs: OutputSubset
  /// Which steps.
  let selection: StepSelection
  /// Whether every sequence has results of its own.
  var isPerSample = false

  /// Asks for a product at these outputs and steps.
  init(outputs: OutputSubset, selection: StepSelection) {
    self.outputs = outputs
    self.selection = selection
  }

  /// K.
  var count: Int { directions?.count ?? cotangents?.count ?? 1 }
  /// Whether rows are pulled back.
  var isPulledBack: Bool { !parameters.isEmpty }
}

/// A gradient that is a product of vectors with J, which is not formed.
protocol VectorGradient: RecurrentGradient {
  /// What it consists of.
  var sweep: VectorSweep { get }
}

extension VectorSweep {
  /// The arrays of sums over steps, one for each parameter, with K and where they are not summed B in front.
  func arrays(
    of gradient: String, _ shape: SequenceShape, network: NetworkShape, hasAxis: Bool
  ) -> [ResultArray] {
    parameters.map { parameter in
      ResultArray(
        gradient: gradient, path: "\(gradient)/\(parameter)",
        shape: (isPerSample ? [shape.batch] : []) + (hasAxis ? [count] : [])
          + network.shape(of: parameter),
        axes: (isPerSample ? ["batch"] : []) + (hasAxis ? ["vectors"] : []) + parameter.axes)
    }
  }
}

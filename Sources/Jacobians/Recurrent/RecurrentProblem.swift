/// What a recurrent job computes on: a network f, sequences of inputs, and where needed r(0) and targets.
package struct RecurrentProblem<T: Scalar>: Sendable {
  /// f.
  package let network: Network<T>
  /// Which outputs of f are fed back.
  package let recurrence: Recurrence
  /// How many sequences, how long.
  package let shape: SequenceShape
  /// x, (B, T, n_x).
  package let inputs: Values<T>
  /// r(0), (B, R); zero when there is none.
  package let initialState: Values<T>?
  /// d, (B, T, |y|).
  package let targets: Values<T>?
  /// Arrays that gradients take, by their place in the document, as `gradients[1].vectors`.
  package let operands: [String: Values<T>]

  /// Joins a network and its data; their shapes must agree.
  package init(
    network: Network<T>, recurrence: Recurrence, shape: SequenceShape, inputs: Values<T>,
    initialState: Values<T>?, targets: Values<T>?, operands: [String: Values<T>] = [:]
  ) {
    let rows = shape.batch * shape.steps
    precondition(
      inputs.count == rows * network.shape.outerInputs(recurrence), "inputs are (B, T, n_x)")
    precondition(
      targets.map { $0.count == rows * network.shape.outerOutputs(recurrence) } ?? true,
      "targets are (B, T, |y|)")
    precondition(
      initialState.map { $0.count == shape.batch * recurrence.units } ?? true,
      "an initial state is (B, R)")
    self.network = network
    self.recurrence = recurrence
    self.shape = shape
    self.inputs = inputs
    self.initialState = initialState
    self.targets = targets
    self.operands = operands
  }
}

extension RecurrentProblem {
  /// The array at a place of the document; the planner has checked that it is there, and its shape.
  func operand(_ place: String) -> Values<T> {
    guard let values = operands[place] else {
      preconditionFailure("a problem has the arrays its plan was made for")
    }
    return values
  }
}

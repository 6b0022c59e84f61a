/// `neural-tangent-kernel`: Θ = J Jᵀ between all steps of all sequences, Σ_w ∂y_o(n)/∂w ∂y_o′(n′)/∂w, (B, T, m, B′, T, m).
///
/// With form `per-output` only pairs of an output with itself, (m, B, T, B′, T).
struct RecurrentNeuralTangentKernel: RecurrentGradient {
  static let name = "neural-tangent-kernel"
  static let options = [
    "other_inputs", "other_initial_state", "form", "parameters", "outputs", "steps",
  ]
  let rows: RowRequest
  let form: NeuralTangentKernel.Form
  /// Other sequences along the columns, if there are any.
  let others: Others?

  /// Sequences of T steps with inputs of their own.
  struct Others: Sendable {
    /// Where their inputs are.
    let operand: String
    /// B′.
    let batch: Int
    /// Where their r(0) is, and whether there is one for each; zero if nowhere.
    let initialState: (operand: String, isShared: Bool)?
  }

  init(reading request: RecurrentOptions) throws(PlanError) {
    rows = try RowRequest(reading: request)
    form = try request.base.choice("form", NeuralTangentKernel.Form.self, default: .full)
    others = try Others(reading: request)
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    let m = rows.outputs.count
    let axis = rows.selection.axis(of: shape.steps)
    let steps = rows.selection.axisName
    let columns = others.map { [$0.batch] } ?? [shape.batch]
    let other = others == nil ? "batch" : "other batch"
    return [
      ResultArray(
        gradient: Self.name, path: "neural-tangent-kernel",
        shape: form == .full
          ? [shape.batch] + axis + [m] + columns + axis + [m]
          : [m, shape.batch] + axis + columns + axis,
        axes: form == .full
          ? ["batch"] + steps + ["outputs", other] + steps + ["outputs"]
          : ["outputs", "batch"] + steps + [other] + steps)
    ]
  }
}

extension RecurrentNeuralTangentKernel.Others {
  /// Reads `other_inputs` and `other_initial_state`; nil without the former.
  init?(reading request: RecurrentOptions) throws(PlanError) {
    let base = request.base
    let steps = request.shape.steps
    let width = request.network.outerInputs(request.recurrence)
    let units = request.recurrence.units
    func text(_ shape: [Int]) -> String {
      "(" + shape.map(String.init).joined(separator: ", ") + ")"
    }
    guard let value = base.options["other_inputs"] else {
      if base.options["other_initial_state"] != nil {
        throw PlanError(
          place: "\(base.place).other_initial_state", reason: "there are no other_inputs",
          remedy: "leave it out, or give other_inputs")
      }
      return nil
    }
    let place = "\(base.place).other_inputs"
    let allowed = "allowed: (\(steps), \(width)), or (B′, \(steps), \(width))"
    guard case .array(let shape) = value else {
      throw PlanError(place: place, reason: "other_inputs is an array", remedy: allowed)
    }
    guard shape.suffix(2) == [steps, width], shape.count == 2 || (shape.count == 3 && shape[0] > 0)
    else {
      throw PlanError(
        place: place, reason: "the shape \(text(shape)) is not that of the job's sequences",
        remedy: allowed)
    }
    operand = place
    batch = shape.count == 3 ? shape[0] : 1
    guard let state = base.options["other_initial_state"] else {
      initialState = nil
      return
    }
    let statePlace = "\(base.place).other_initial_state"
    let allowedStates = "allowed: (\(units)), or (\(batch), \(units))"
    guard case .array(let own) = state else {
      throw PlanError(
        place: statePlace, reason: "other_initial_state is an array", remedy: allowedStates)
    }
    guard own == [units] || own == [batch, units] else {
      throw PlanError(
        place: statePlace,
        reason: "the shape \(text(own)) is not r(0) of \(batch) other sequences",
        remedy: allowedStates)
    }
    initialState = (statePlace, own.count == 1)
  }

  /// The problem of these sequences.
  func problem<T: Scalar>(beside problem: RecurrentProblem<T>) -> RecurrentProblem<T> {
    let units = problem.recurrence.units
    let states = initialState.map { state -> Values<T> in
      let given = problem.operand(state.operand)
      guard state.isShared else { return given }
      return Values(count: batch * units) { (rows: inout MutableSpan<T>) in
        for i in rows.indices { rows[i] = given.span[i % units] }
      }
    }
    return RecurrentProblem(
      network: problem.network, recurrence: problem.recurrence,
      shape: SequenceShape(batch: batch, steps: problem.shape.steps),
      inputs: problem.operand(operand), initialState: states, targets: nil)
  }
}

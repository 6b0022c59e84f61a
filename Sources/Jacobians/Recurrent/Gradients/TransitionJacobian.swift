/// `transition-jacobian`: ∂r(n)/∂r(n−1), (B, T, R, R): for Lyapunov exponents, stability, Kalman filters.
struct TransitionJacobian: StepGradient {
  static let name = "transition-jacobian"
  static let options = ["steps"]
  private let selection: StepSelection
  private let units: Int
  private let first: Int

  init(reading request: RecurrentOptions) throws(PlanError) {
    selection = try request.steps()
    units = request.recurrence.units
    first = request.outerOutputs
  }

  var stepAxis: StepSelection? { selection }

  var needs: StepNeeds {
    var needs = StepNeeds()
    needs.transition = true
    return needs
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "transition-jacobian",
        shape: [shape.batch] + selection.axis(of: shape.steps) + [units, units],
        axes: ["batch"] + selection.axisName + ["states", "states before"])
    ]
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func write<T: Scalar>(_ block: StepBlock<T>, to writer: ResultWriter) throws {
    let z = first + units
    try block.write(
      selection, rowsPerStep: units, width: units, array: 0, writer: writer,
      from: block.layout.transition
    ) { step, row in (step * z + first + row) * units }
  }
}

/// `initial-state-jacobian`: ∂y(n)/∂r(0), (B, T, |y|, R).
struct InitialStateJacobian: StepGradient {
  static let name = "initial-state-jacobian"
  static let options = ["outputs", "steps"]
  private let selection: StepSelection
  private let outputs: OutputSubset
  private let units: Int
  private let stateWidth: Int

  init(reading request: RecurrentOptions) throws(PlanError) {
    selection = try request.steps()
    outputs = try request.outputs(of: request.outerOutputs)
    units = request.recurrence.units
    stateWidth = request.network.outputs
  }

  var stepAxis: StepSelection? { selection }

  var needs: StepNeeds {
    var needs = StepNeeds()
    needs.initial = true
    return needs
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "initial-state-jacobian",
        shape: [shape.batch] + selection.axis(of: shape.steps) + [outputs.count, units],
        axes: ["batch"] + selection.axisName + ["outputs", "initial states"])
    ]
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func write<T: Scalar>(_ block: StepBlock<T>, to writer: ResultWriter) throws {
    try block.write(
      selection, rowsPerStep: outputs.count, width: units, array: 0, writer: writer,
      from: block.layout.initial
    ) { step, row in (step * stateWidth + outputs[row]) * units }
  }
}

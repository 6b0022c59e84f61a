/// `outputs`: y(n), (B, T, |y|).
struct RecurrentOutputs: StepGradient {
  static let name = "outputs"
  static let options = ["steps"]
  private let selection: StepSelection
  private let width: Int
  private let stateWidth: Int

  init(reading request: RecurrentOptions) throws(PlanError) {
    selection = try request.steps()
    width = request.outerOutputs
    stateWidth = request.network.outputs
  }

  var stepAxis: StepSelection? { selection }

  var needs: StepNeeds { StepNeeds() }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "outputs",
        shape: [shape.batch] + selection.axis(of: shape.steps) + [width],
        axes: ["batch"] + selection.axisName + ["outputs"])
    ]
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func write<T: Scalar>(_ block: StepBlock<T>, to writer: ResultWriter) throws {
    try block.write(
      selection, rowsPerStep: 1, width: width, array: 0, writer: writer, from: block.outputs
    ) { step, _ in step * stateWidth }
  }
}

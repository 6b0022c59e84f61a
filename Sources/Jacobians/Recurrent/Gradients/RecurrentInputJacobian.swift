/// `input-jacobian`: ∂y(n)/∂x(l) for every earlier step l, zero for l > n, (B, T, |y|, T, n_x).
struct RecurrentInputJacobian: SweptGradient {
  static let name = "input-jacobian"
  static let options = ["outputs", "steps"]
  let outputs: OutputSubset
  let selection: StepSelection
  private let width: Int

  init(reading request: RecurrentOptions) throws(PlanError) {
    selection = try request.steps()
    outputs = try request.outputs(of: request.outerOutputs)
    width = request.network.outerInputs(request.recurrence)
  }

  var form: SweptForm { .pairs([.inputs]) }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "input-jacobian",
        shape: [shape.batch] + selection.axis(of: shape.steps) + [
          outputs.count, shape.steps, width,
        ],
        axes: ["batch"] + selection.axisName + ["outputs", "steps of x", "inputs"])
    ]
  }
}

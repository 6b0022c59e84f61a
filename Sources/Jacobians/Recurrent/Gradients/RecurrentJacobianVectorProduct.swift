/// `jvp`: J V of every sequence, (J V)[b, n, o] = Σ_w ∂y_o(n)/∂w V[w], (B, T, m), or (B, K, T, m) of K vectors.
///
/// One sweep of tangents beside the forward pass; J is not formed.
struct RecurrentJacobianVectorProduct: VectorGradient {
  static let name = "jvp"
  static let options = ["vectors", "parameters", "outputs", "steps"]
  let sweep: VectorSweep

  init(reading request: RecurrentOptions) throws(PlanError) {
    let base = request.base
    var sweep = VectorSweep(
      outputs: try request.outputs(of: request.outerOutputs), selection: try request.steps())
    sweep.directions = try ParameterVectors(reading: base, parameters: base.parameters())
    self.sweep = sweep
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    let hasAxis = sweep.directions?.hasAxis ?? false
    let selection = sweep.selection
    return [
      ResultArray(
        gradient: Self.name, path: "jvp",
        shape: [shape.batch] + (hasAxis ? [sweep.count] : []) + selection.axis(of: shape.steps)
          + [sweep.outputs.count],
        axes: ["batch"] + (hasAxis ? ["vectors"] : []) + selection.axisName + ["outputs"])
    ]
  }
}

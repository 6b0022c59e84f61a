/// `loss`: E = ½ Σ_n ‖y(n) − d(n)‖², summed over each sequence's own steps, (B).
struct RecurrentLoss: StepGradient {
  static let name = "loss"
  static let options: [String] = []

  init(reading request: RecurrentOptions) throws(PlanError) {
    try request.base.requireTargets()
  }

  var stepAxis: StepSelection? { nil }

  var needs: StepNeeds {
    var needs = StepNeeds()
    needs.loss = true
    return needs
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    [ResultArray(gradient: Self.name, path: "loss", shape: [shape.batch], axes: ["batch"])]
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func write<T: Scalar>(_ block: StepBlock<T>, to writer: ResultWriter) throws {
    guard block.isLast else { return }
    var stream = TileStream(
      block.workspace.mutable(block.layout.stream), writer: writer, array: 0, at: block.sequence)
    try stream.append(rows: 1, width: 1) { _, _, piece in piece[0] = block.loss }
    try stream.finish()
  }
}

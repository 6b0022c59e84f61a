/// `loss-gradient`: ∂E/∂w, summed over sequences, or `per_sample`: one reverse sweep through time.
struct RecurrentLossGradient: RecurrentGradient {
  static let name = "loss-gradient"
  static let options = ["per_sample", "parameters"]
  let isPerSample: Bool
  let parameters: [Parameter]
  private let network: NetworkShape

  init(reading request: RecurrentOptions) throws(PlanError) {
    isPerSample = try request.base.flag("per_sample")
    parameters = try request.base.parameters()
    network = request.network
    try request.base.requireTargets()
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "loss-gradient/\(parameter)",
        shape: (isPerSample ? [shape.batch] : []) + network.shape(of: parameter),
        axes: (isPerSample ? ["batch"] : []) + parameter.axes)
    }
  }
}

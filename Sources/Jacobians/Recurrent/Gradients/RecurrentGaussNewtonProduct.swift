/// `gauss-newton-product`: G V = Σ_b Σ_n J_b(n)ᵀ H_b(n) J_b(n) V, J(n) = ∂y(n)/∂w, an array for each parameter.
///
/// A sweep of tangents forwards through time, H at each step's outputs, a sweep of rows backwards; no J.
struct RecurrentGaussNewtonProduct: VectorGradient {
  static let name = "gauss-newton-product"
  static let options = ["vectors", "loss", "parameters", "outputs", "steps"]
  let sweep: VectorSweep
  private let network: NetworkShape

  init(reading request: RecurrentOptions) throws(PlanError) {
    let base = request.base
    var sweep = VectorSweep(
      outputs: try request.outputs(of: request.outerOutputs), selection: try request.steps())
    sweep.parameters = try base.parameters()
    sweep.directions = try ParameterVectors(reading: base, parameters: sweep.parameters)
    sweep.loss = try OutputLoss(reading: base)
    self.sweep = sweep
    network = request.network
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    sweep.arrays(
      of: Self.name, shape, network: network, hasAxis: sweep.directions?.hasAxis ?? false)
  }
}

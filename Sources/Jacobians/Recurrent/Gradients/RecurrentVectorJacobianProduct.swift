/// `vjp`: uᵀJ, Σ_b Σ_n u_b(n)ᵀ ∂y(n)/∂w, an array for each parameter; `per_sample` without the sum over sequences.
///
/// Backpropagation through time of u; with u = y − d it is `loss-gradient`.
struct RecurrentVectorJacobianProduct: VectorGradient {
  static let name = "vjp"
  static let options = ["vectors", "per_sample", "parameters", "outputs", "steps"]
  let sweep: VectorSweep
  private let network: NetworkShape

  init(reading request: RecurrentOptions) throws(PlanError) {
    let outputs = try request.outputs(of: request.outerOutputs)
    let selection = try request.steps()
    var sweep = VectorSweep(outputs: outputs, selection: selection)
    sweep.cotangents = try SequenceVectors(
      reading: request, outputs: outputs, selection: selection)
    sweep.isPerSample = try request.base.flag("per_sample")
    sweep.parameters = try request.base.parameters()
    self.sweep = sweep
    network = request.network
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    sweep.arrays(
      of: Self.name, shape, network: network, hasAxis: sweep.cotangents?.hasAxis ?? false)
  }
}

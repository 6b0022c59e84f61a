/// `neural-tangent-kernel`: Θ = J Jᵀ between samples, Θ[b, o, b′, o′] = Σ_w ∂y_o(x_b)/∂w ∂y_o′(x_b′)/∂w.
///
/// From factors alone: Σ_k (δ_k[b, o] · δ_k[b′, o′]) (a_{k−1}[b] · a_{k−1}[b′] + 1), the first term for W_k, the one
/// for b_k. (B, m, B′, m); `per-output` only o = o′, (m, B, B′). `other_inputs` give b′ other samples.
package struct NeuralTangentKernel: Gradient {
  /// All pairs of outputs, or each with itself.
  package enum Form: String, CaseIterable, Sendable {
    case full
    case perOutput = "per-output"
  }

  package static let name = "neural-tangent-kernel"
  package static let options = ["form", "other_inputs", "parameters", "outputs"]
  let form: Form
  let parameters: [Parameter]
  let outputs: OutputSubset
  let network: NetworkShape
  /// B′ and the array of the other samples' inputs; nil where b′ goes over the same samples as b.
  let others: (batch: Int, operand: String)?

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    form = try request.choice("form", Form.self, default: .full)
    parameters = try request.parameters()
    outputs = try request.outputs()
    network = request.network
    guard let value = request.options["other_inputs"] else {
      others = nil
      return
    }
    let place = "\(request.place).other_inputs"
    let width = request.network.inputs
    guard case .array(let shape) = value else {
      throw PlanError(
        place: place, reason: "other_inputs is an array", remedy: "give one of shape (B, \(width))")
    }
    guard (1...2).contains(shape.count), shape.last == width else {
      throw PlanError(
        place: place,
        reason: "the shape (\(shape.map(String.init).joined(separator: ", "))) is not "
          + "(B, \(width)) or (\(width)): \(width) is what the first layer takes")
    }
    others = (shape.count == 2 ? shape[0] : 1, place)
  }

  package func arrays(batch: Int) -> [ResultArray] {
    let m = outputs.count
    let columns = others?.batch ?? batch
    let other = others == nil ? "batch" : "other batch"
    return [
      ResultArray(
        gradient: Self.name, path: Self.name,
        shape: form == .full ? [batch, m, columns, m] : [m, batch, columns],
        axes: form == .full ? ["batch", "outputs", other, "outputs"] : ["outputs", "batch", other])
    ]
  }
}

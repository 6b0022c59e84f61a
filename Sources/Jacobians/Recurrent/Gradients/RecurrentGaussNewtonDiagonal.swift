/// `gauss-newton-diagonal`: the diagonal of G = Σ_b Σ_n J_b(n)ᵀ H_b(n) J_b(n), J(n) = ∂y(n)/∂w, an array for each parameter.
///
/// The squares of the rows of H^½ J(n), added up.
struct RecurrentGaussNewtonDiagonal: RowGradient {
  static let name = "gauss-newton-diagonal"
  static let options = ["loss", "parameters", "outputs", "steps"]
  let rows: RowRequest
  private let root: HessianRoot
  private let network: NetworkShape

  init(reading request: RecurrentOptions) throws(PlanError) {
    rows = try RowRequest(reading: request)
    root = try HessianRoot(reading: request, outputs: rows.outputs)
    network = request.network
  }

  var sumSizes: [Int] { rows.parameters.map { network.count(of: $0) } }
  var needsProbabilities: Bool { root.loss == .softmaxCrossEntropy }
  var operationsPerStep: Double {
    (2 * Double(root.rowsPerStep) + root.operationsPerColumn) * Double(rows.columns(of: network))
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    rows.parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "gauss-newton-diagonal/\(parameter)",
        shape: network.shape(of: parameter), axes: parameter.axes)
    }
  }

  func layOut(steps: Int, in layout: inout ScratchLayout) -> [Region] {
    root.layOut(steps: 1, columns: rows.columns(of: network), in: &layout)
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func contract<T: Scalar>(
    _ block: RowBlock<T>, scratch: [Region], sums: Region, to writer: ResultWriter
  ) throws {
    let columns = block.columns
    var sum = block.workspace.mutable(sums)
    for step in 0..<block.axis.count {
      let region = root.rows(of: block, steps: step..<step + 1, scratch: scratch)
      let numbers = block.workspace.numbers(region)
      for row in 0..<root.rowsPerStep {
        let own = numbers.extracting(row * columns..<(row + 1) * columns)
        addProduct(own, own, to: &sum)
      }
    }
  }
}

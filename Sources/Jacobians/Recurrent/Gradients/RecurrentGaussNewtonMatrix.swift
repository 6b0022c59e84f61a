/// `gauss-newton`: G = Σ_b Σ_n J_b(n)ᵀ H_b(n) J_b(n) whole, (P, P), J(n) = ∂y(n)/∂w.
///
/// A product of the rows of H^½ J(n) of some steps with themselves, stripe by stripe of G; P² numbers stay in memory for every
/// sequence at work, so that P is some thousands at most.
struct RecurrentGaussNewtonMatrix: RowGradient {
  static let name = "gauss-newton"
  static let options = ["loss", "parameters", "outputs", "steps"]
  let rows: RowRequest
  private let root: HessianRoot
  private let columns: Int
  /// Rows of G that one thread computes at a time.
  private static let stripe = 128

  init(reading request: RecurrentOptions) throws(PlanError) {
    rows = try RowRequest(reading: request)
    root = try HessianRoot(reading: request, outputs: rows.outputs)
    columns = rows.columns(of: request.network)
    guard columns <= Int(Int32.max) else {
      throw PlanError(
        place: request.base.place, reason: "a matrix of \(columns) rows and columns",
        remedy: "ask for fewer parameters, or for gauss-newton-product")
    }
  }

  var sumSizes: [Int] { [columns * columns] }
  var needsProbabilities: Bool { root.loss == .softmaxCrossEntropy }
  var operationsPerStep: Double {
    Double(root.rowsPerStep) * Double(columns) * Double(columns + RecurrentGaussNewtonMatrix.stripe)
      + root.operationsPerColumn * Double(columns)
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "gauss-newton", shape: [columns, columns],
        axes: ["parameters", "parameters"], columns: rows.parameters)
    ]
  }

  func layOut(steps: Int, in layout: inout ScratchLayout) -> [Region] {
    root.layOut(steps: steps, columns: columns, in: &layout)
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func contract<T: Scalar>(
    _ block: RowBlock<T>, scratch: [Region], sums: Region, to writer: ResultWriter
  ) throws {
    let columns = columns
    let workspace = block.workspace
    let blas = block.blas
    let steps = 0..<block.axis.count
    let region = root.rows(of: block, steps: steps, scratch: scratch)
    let count = steps.count * root.rowsPerStep
    let stripe = RecurrentGaussNewtonMatrix.stripe
    try block.team.share((columns - 1) / stripe + 1) { part, _ in
      let first = part * stripe
      let last = min(first + stripe, columns)
      let numbers = workspace.numbers(region)
      var place = workspace.mutable(sums.part(first * columns + first..<last * columns))
      // From the diagonal on; what is below it is copied in the end.
      blas.multiply(
        Matrix(numbers, at: first, rows: count, columns: last - first, stride: columns).transposed,
        Matrix(numbers, at: first, rows: count, columns: columns - first, stride: columns),
        adding: 1, into: &place, stride: columns)
    }
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func complete<T: Scalar>(_ sums: inout MutableSpan<T>) {
    let n = columns
    for i in 0..<n { for j in 0..<i { sums[i * n + j] = sums[j * n + i] } }
  }
}

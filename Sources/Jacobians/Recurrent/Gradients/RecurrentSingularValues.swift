/// `singular-values`: those of ∂y(n)/∂w at every step, (B, T, min(m, P)), descending.
///
/// The roots of the eigenvalues of J(n) J(n)ᵀ, (m × m), of the rows multiplied out: a value below √ε times the largest is lost to
/// rounding, as squares are.
struct RecurrentSingularValues: RowGradient {
  static let name = "singular-values"
  static let options = ["jacobians", "parameters", "outputs", "steps"]
  let rows: RowRequest
  private let network: NetworkShape

  init(reading request: RecurrentOptions) throws(PlanError) {
    rows = try RowRequest(reading: request)
    network = request.network
    guard let value = request.base.options["jacobians"] else { return }
    let place = "\(request.base.place).jacobians"
    let allowed = "allowed: [\"parameter-jacobian\"], or leave it out"
    guard value == .texts(["parameter-jacobian"]) else {
      throw PlanError(
        place: place,
        reason: value == .texts(["input-jacobian"])
          || value == .texts(["parameter-jacobian", "input-jacobian"])
          ? "through time there are singular values of ∂y(n)/∂w only: ∂y(n)/∂x has columns for every earlier step"
          : "through time there are singular values of \"parameter-jacobian\" only",
        remedy: allowed)
    }
  }

  private var count: Int { min(rows.outputs.count, rows.columns(of: network)) }

  var stepSizes: [Int] { [count] }
  var operationsPerStep: Double {
    let m = Double(rows.outputs.count)
    return 2 * m * m * Double(rows.columns(of: network)) + 4 / 3 * m * m * m
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "singular-values/parameter-jacobian",
        shape: [shape.batch] + rows.selection.axis(of: shape.steps) + [count],
        axes: ["batch"] + rows.selection.axisName + ["singular values"])
    ]
  }

  func layOut(steps: Int, in layout: inout ScratchLayout) -> [Region] {
    let m = rows.outputs.count
    return [
      layout.add("J Jᵀ", rows: m, columns: m),
      layout.add("eigenvalues", rows: 1, columns: m + BLAS.eigenvalueSpace(m)),
    ]
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func contract<T: Scalar>(
    _ block: RowBlock<T>, scratch: [Region], sums: Region, to writer: ResultWriter
  ) throws {
    let workspace = block.workspace
    let numbers = workspace.numbers(block.rows)
    let m = rows.outputs.count
    let columns = block.columns
    let count = count
    try block.write(width: count, array: 0, to: writer) { step, some, piece in
      // A step's values are found once, however many pieces they are written in.
      if some.lowerBound == 0 {
        var gram = workspace.mutable(scratch[0])
        let matrix = Matrix(numbers, at: step * m * columns, rows: m, columns: columns)
        block.blas.multiply(matrix, matrix.transposed, into: &gram)
        var isKnown = Numerics.NonFinite(in: gram.span) == Numerics.NonFinite()
        var values = workspace.mutable(scratch[1])
        if isKnown { isKnown = block.blas.eigenvalues(of: &gram, rows: m, into: &values) }
        if !isKnown { for i in 0..<m { values[i] = .nan } }
      }
      let values = workspace.numbers(scratch[1])
      for (i, column) in some.enumerated() {
        let square = values[m - 1 - column]
        piece[i] = square.isNaN ? .nan : max(0, square).squareRoot()
      }
    }
  }
}

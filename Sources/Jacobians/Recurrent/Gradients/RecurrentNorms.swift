/// `norms`: the Frobenius norm of every ∂y_o(n)/∂W_k and ∂y_o(n)/∂b_k, an array (B, T, m) for each parameter.
///
/// ∂y_o(n)/∂W_k is a sum of outer products over time, so its norm is taken of the rows multiplied out.
struct RecurrentNorms: RowGradient {
  static let name = "norms"
  static let options = ["parameters", "outputs", "steps"]
  let rows: RowRequest
  private let network: NetworkShape

  init(reading request: RecurrentOptions) throws(PlanError) {
    rows = try RowRequest(reading: request)
    network = request.network
  }

  var stepSizes: [Int] { rows.parameters.map { _ in rows.outputs.count } }
  var operationsPerStep: Double {
    2 * Double(rows.outputs.count) * Double(rows.columns(of: network))
  }

  func arrays(_ shape: SequenceShape) -> [ResultArray] {
    rows.parameters.map { parameter in
      ResultArray(
        gradient: Self.name, path: "norms/\(parameter)",
        shape: [shape.batch] + rows.selection.axis(of: shape.steps) + [rows.outputs.count],
        axes: ["batch"] + rows.selection.axisName + ["outputs"])
    }
  }

  func layOut(steps: Int, in layout: inout ScratchLayout) -> [Region] { [] }

  @specialized(where T == Double)
  @specialized(where T == Float)
  func contract<T: Scalar>(
    _ block: RowBlock<T>, scratch: [Region], sums: Region, to writer: ResultWriter
  ) throws {
    let numbers = block.workspace.numbers(block.rows)
    let m = rows.outputs.count
    var first = 0
    for (array, parameter) in rows.parameters.enumerated() {
      let count = network.count(of: parameter)
      try block.write(width: m, array: array, to: writer) { step, outputs, piece in
        for (i, o) in outputs.enumerated() {
          let start = (step * m + o) * block.columns + first
          let row = numbers.extracting(start..<start + count)
          var sum: T = 0
          for i in row.indices { sum += row[i] * row[i] }
          piece[i] = sum.squareRoot()
        }
      }
      first += count
    }
  }
}

extension RowRequest {
  /// Reads `parameters`, `outputs` and `steps`.
  init(reading request: RecurrentOptions) throws(PlanError) {
    self.init(
      outputs: try request.outputs(of: request.outerOutputs), selection: try request.steps(),
      parameters: try request.base.parameters())
  }

  /// P of the parameters asked for.
  func columns(of network: NetworkShape) -> Int {
    parameters.reduce(0) { $0 + network.count(of: $1) }
  }
}

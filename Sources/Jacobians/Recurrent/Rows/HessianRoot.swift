/// The rows H^½ J(n) of a step's rows J(n), so that J(n)ᵀ H(n) J(n) is the product of those with themselves.
struct HessianRoot: Sendable {
  let loss: OutputLoss
  private let outputs: OutputSubset
  /// Rows of a step.
  let rowsPerStep: Int

  /// Reads the option `loss`.
  init(reading request: RecurrentOptions, outputs: OutputSubset) throws(PlanError) {
    loss = try OutputLoss(reading: request.base)
    self.outputs = outputs
    // What is left out of a subset has one row together.
    rowsPerStep =
      loss == .squaredError || outputs.count == request.outerOutputs
      ? outputs.count : outputs.count + 1
  }

  /// Operations of a step for each column.
  var operationsPerColumn: Double {
    loss == .squaredError ? 0 : 2 * Double(outputs.count + rowsPerStep)
  }

  /// Room for the rows of some steps, and for their mean; none where H = I.
  func layOut(steps: Int, columns: Int, in layout: inout ScratchLayout) -> [Region] {
    guard loss == .softmaxCrossEntropy else { return [] }
    let (rows, overflow) = steps.multipliedReportingOverflow(by: rowsPerStep)
    return [
      layout.add("rows of H^½ J", rows: overflow ? .max : rows, columns: columns),
      layout.add("mean row", rows: 1, columns: columns),
    ]
  }

  /// The rows of some steps of a block, one after another.
  func rows<T: Scalar>(
    of block: RowBlock<T>, steps: Range<Int>, scratch: [Region]
  ) -> Region {
    let width = block.columns
    let m = outputs.count
    guard loss == .softmaxCrossEntropy else {
      return block.rows.part(steps.lowerBound * m * width..<steps.upperBound * m * width)
    }
    let workspace = block.workspace
    let numbers = workspace.numbers(block.rows)
    let size = rowsPerStep * width
    for (place, step) in steps.enumerated() {
      var mean = workspace.mutable(scratch[1])
      var root = workspace.mutable(scratch[0].part(place * size..<(place + 1) * size))
      loss.squareRoot(
        { (step * m + $0) * width }, of: numbers,
        probabilities: workspace.numbers(
          block.probabilities(block.axis.lowerBound + step)), outputs: outputs, width: width,
        mean: &mean, into: &root)
    }
    return scratch[0].part(0..<steps.count * size)
  }
}

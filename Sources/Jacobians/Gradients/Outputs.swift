/// `outputs`: y = a_L, (B, m).
package struct Outputs: BlockGradient {
  package static let name = "outputs"
  package static let options: [String] = []
  private let width: Int

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    width = request.network.outputs
  }

  package var needs: Needs { Needs() }
  package var operationsPerSample: Double { 0 }

  package func arrays(batch: Int) -> [ResultArray] {
    [
      ResultArray(
        gradient: Self.name, path: "outputs", shape: [batch, width], axes: ["batch", "outputs"])
    ]
  }

  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    try work.writer.write(block.outputs, array: 0, at: block.samples.lowerBound * width)
  }
}

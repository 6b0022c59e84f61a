/// `loss`: ε_b = ½ ‖y(x_b) − t_b‖², (B).
package struct Loss: BlockGradient {
  package static let name = "loss"
  package static let options: [String] = []
  private let width: Int

  /// Reads the request.
  package init(reading request: GradientOptions) throws(PlanError) {
    try request.requireTargets()
    width = request.network.outputs
  }

  package var needs: Needs { Needs() }
  package var operationsPerSample: Double { 3 * Double(width) }

  package func arrays(batch: Int) -> [ResultArray] {
    [ResultArray(gradient: Self.name, path: "loss", shape: [batch], axes: ["batch"])]
  }

  @specialized(where T == Double)
  @specialized(where T == Float)
  package func contract<T: Scalar>(
    _ block: borrowing Block<T>, into work: inout Work<T>
  ) throws {
    guard let targets = block.problem.targets else { return }
    let y = block.outputs
    let t = targets.span
    let first = block.samples.lowerBound * width
    let width = self.width
    var stream = work.stream(array: 0, at: block.samples.lowerBound)
    try stream.append(rows: block.samples.count, width: 1) { samples, _, piece in
      for (i, sample) in samples.enumerated() {
        var sum: T = 0
        for o in sample * width..<(sample + 1) * width {
          let u = y[o] - t[first + o]
          sum += u * u
        }
        piece[i] = sum / 2
      }
    }
    try stream.finish()
  }
}

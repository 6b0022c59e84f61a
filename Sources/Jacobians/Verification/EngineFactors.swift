/// What the engine's passes give for a few samples of a job, widened to float64: the factors under test.
///
/// They come from the same `Passes` as the job's results, in the job's number type.
package struct EngineFactors: Sendable {
  /// The samples looked at, spread over the batch.
  package let samples: [Int]
  /// The outputs whose rows are pulled back.
  package let outputs: [Int]
  /// a_0…a_L, each (samples, n_k).
  package var activations: [[Double]]
  /// ∂y/∂x, δ_1…δ_L, each (samples, outputs, n_k).
  package var localGradients: [[Double]]

  /// At most so many samples are looked at, evenly spread over the batch.
  package static let mostSamples = 4
  /// At most so many outputs are pulled back, evenly spread over all.
  package static let mostOutputs = 64

  /// Computes the factors of a problem.
  package init<T: Scalar>(of problem: Problem<T>, blas: BLAS) {
    let shape = problem.network.shape
    samples = EngineFactors.spread(EngineFactors.mostSamples, over: problem.batch)
    outputs = EngineFactors.spread(EngineFactors.mostOutputs, over: shape.outputs)
    var layout = ScratchLayout()
    let stages = EngineFactors.stages(
      shape, samples: samples.count, outputs: outputs, dtype: T.type, in: &layout)
    let some = problem.taking(samples)
    var passes = Passes(stages, on: some, scratchCount: layout.count, blas: blas)
    passes.forward(0..<samples.count)
    passes.backward(0..<samples.count)
    let boundary = layout.count
    (activations, localGradients) = passes.scratch.divide(at: boundary) { numbers, _ in
      let block = Block(0..<some.batch, of: some, stages: stages, numbers: numbers)
      let layers = 0...shape.layers.count
      return (
        layers.map { widened(block.activations($0)) },
        layers.map { widened(block.localGradients($0)) }
      )
    }
  }

  /// Bytes that verification of such a job takes for its factors, or nil when they leave 63 bits.
  static func byteCount(_ shape: NetworkShape, batch: Int, dtype: ScalarType) -> Int? {
    var layout = ScratchLayout()
    _ = stages(
      shape, samples: min(mostSamples, batch), outputs: spread(mostOutputs, over: shape.outputs),
      dtype: dtype, in: &layout)
    guard !layout.hasOverflowed else { return nil }
    // The scratch in the job's type, and the widened copies.
    return CheckedSize(product: [layout.count, dtype.byteCount + 8]).value
  }

  private static func stages(
    _ shape: NetworkShape, samples: Int, outputs: [Int], dtype: ScalarType,
    in layout: inout ScratchLayout
  ) -> Stages {
    var needs = Needs()
    needs.activations = Set(0...shape.layers.count)
    needs.localGradients = Needs.Sweep(
      outputs: OutputSubset(outputs), layers: Set(0...shape.layers.count))
    return Stages(network: shape, needs: needs, samples: samples, dtype: dtype, in: &layout)
  }

  static func spread(_ most: Int, over count: Int) -> [Int] {
    let number = min(most, count)
    return (0..<number).map { $0 * (count / number) + $0 * (count % number) / number }
  }
}

private func widened<T: Scalar>(_ numbers: Span<T>) -> [Double] {
  var copy: [Double] = []
  copy.reserveCapacity(numbers.count)
  for i in numbers.indices { copy.append(Double(numbers[i])) }
  return copy
}

extension Problem {
  /// The same network on copies of some samples.
  func taking(_ samples: [Int]) -> Problem {
    let n = network.shape.inputs
    let inputs = self.inputs
    let some = Values<T>(count: samples.count * n) { span in
      for (row, sample) in samples.enumerated() {
        for i in 0..<n { span[row * n + i] = inputs.span[sample * n + i] }
      }
    }
    return Problem(network: network, inputs: some, targets: nil, batch: samples.count)
  }
}

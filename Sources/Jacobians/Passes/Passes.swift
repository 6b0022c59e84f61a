/// Stages 1 and 2 over one block at a time, in one thread's scratch.
package struct Passes<T: Scalar>: ~Copyable {
  /// What is computed, and where it goes.
  package let stages: Stages
  /// The job's numbers.
  package let problem: Problem<T>
  /// What all blocks so far showed.
  package var numerics = Numerics()
  var scratch: Scratch<T>
  private let blas: BLAS

  /// Allocates `scratchCount` numbers, in which `stages` were laid out.
  package init(
    _ stages: Stages, on problem: Problem<T>, scratchCount: Int, blas: BLAS
  ) {
    self.stages = stages
    self.problem = problem
    self.blas = blas
    scratch = Scratch(count: scratchCount)
  }

  /// Stage 1: a_k = φ_k(A_{k−1} W_kᵀ + b_k) for all samples of a block, one product a layer.
  package mutating func forward(_ samples: Range<Int>) {
    let network = stages.network
    let blas = blas
    let rows = stages.padded(samples.count)
    load(samples, rows: rows)
    let noSlopes = Region(name: "no slopes", offset: 0, count: 0)
    for (index, layer) in network.layers.enumerated() {
      let width = layer.outputs
      let weights = problem.network.weights[index]
      let biases = problem.network.biases[index]
      scratch.update(stages.activations[index + 1], reading: stages.activations[index]) {
        fields, inputs in
        if let biases { fillRows(&fields, with: biases.span, rows: rows) }
        blas.multiply(
          Matrix(inputs, rows: rows, columns: layer.inputs),
          Matrix(weights.span, rows: width, columns: layer.inputs).transposed,
          adding: biases == nil ? 0 : 1, into: &fields)
      }
      let real = samples.count * width
      numerics.atKinks += layer.activation.countKinks(
        in: scratch.numbers(stages.activations[index + 1]).extracting(0..<real))
      let slopes = stages.slopes[index]
      scratch.update(stages.activations[index + 1], slopes.count == 0 ? noSlopes : slopes) {
        all, allSlopes in
        var fields = all._mutatingExtracting(0..<rows * width)
        var slopes = allSlopes._mutatingExtracting(0..<min(allSlopes.count, rows * width))
        layer.activation.apply(to: &fields, width: width, slopes: &slopes)
      }
      numerics.saturated += layer.activation.countSaturated(
        in: scratch.numbers(stages.activations[index + 1]).extracting(0..<real))
    }
    let found = Numerics.NonFinite(
      in: scratch.numbers(stages.activations[network.layers.count])
        .extracting(0..<samples.count * network.outputs))
    numerics.outputs.add(found)
  }

  /// Stage 2: the rows of δ_k, and of (y − t)ᵀ δ_k, that the gradients read.
  package mutating func backward(_ samples: Range<Int>) {
    if let sweep = stages.localGradients, let needs = stages.needs.localGradients {
      start(sweep, outputs: needs.outputs, samples: samples.count)
      let isElementwise = stages.network.layers[stages.network.layers.count - 1].activation
        .isElementwise
      pullBack(sweep, samples: samples.count, isBelowLastStarted: isElementwise)
    }
    if let sweep = stages.residuals {
      startResiduals(sweep, samples)
      pullBack(sweep, samples: samples.count, isBelowLastStarted: false)
    }
  }

  private mutating func load(_ samples: Range<Int>, rows: Int) {
    let width = stages.network.inputs
    let inputs = problem.inputs
    let x = inputs.span.extracting(samples.lowerBound * width..<samples.upperBound * width)
    numerics.inputs.add(Numerics.NonFinite(in: x))
    scratch.update(stages.activations[0]) { a in
      copy(x, to: &a)
      for i in samples.count * width..<rows * width { a[i] = 0 }
    }
    if let targets = problem.targets {
      let m = stages.network.outputs
      let t = targets.span.extracting(samples.lowerBound * m..<samples.upperBound * m)
      numerics.targets.add(Numerics.NonFinite(in: t))
    }
  }

  /// δ_L, or with an elementwise last layer δ_{L−1} at once: δ_L W_L is φ'_L[o] times row o of W_L.
  private mutating func start(_ sweep: Stages.Sweep, outputs: OutputSubset, samples: Int) {
    let last = stages.network.layers.count
    let layer = stages.network.layers[last - 1]
    if let top = sweep.rows[last] {
      scratch.update(top, reading: stages.slopes[last - 1]) { rows, slopes in
        layer.activation.fillJacobian(
          &rows, slopes: slopes, samples: samples, outputs: outputs, width: layer.outputs)
        for i in samples * outputs.count * layer.outputs..<rows.count { rows[i] = 0 }
      }
    }
    guard layer.activation.isElementwise, let below = sweep.rows[last - 1] else { return }
    let weights = problem.network.weights[last - 1]
    scratch.update(below, reading: stages.slopes[last - 1]) { rows, slopes in
      scaleRows(
        of: weights.span, by: slopes, into: &rows, samples: samples, outputs: outputs,
        width: layer.inputs, factorWidth: layer.outputs)
      for i in samples * outputs.count * layer.inputs..<rows.count { rows[i] = 0 }
    }
  }

  /// uᵀ δ_L, u = y − t.
  private mutating func startResiduals(_ sweep: Stages.Sweep, _ samples: Range<Int>) {
    guard let targets = problem.targets else { preconditionFailure("the planner asks for targets") }
    let last = stages.network.layers.count
    guard let top = sweep.rows[last] else { return }
    let m = stages.network.outputs
    scratch.update(top, reading: stages.activations[last]) { rows, outputs in
      let t = targets.span.extracting(samples.lowerBound * m..<samples.upperBound * m)
      subtract(t, from: outputs, into: &rows)
      for i in samples.count * m..<rows.count { rows[i] = 0 }
    }
    pullThrough(last, top, rowsPerSample: 1, samples: samples.count)
  }

  /// δ_{k−1} = (δ_k W_k) ∂φ_{k−1}, from the layer where rows stand already down to the lowest.
  private mutating func pullBack(
    _ sweep: Stages.Sweep, samples: Int, isBelowLastStarted: Bool
  ) {
    let last = stages.network.layers.count
    let blas = blas
    let rows = stages.padded(samples * sweep.rowsPerSample)
    count(last, of: sweep, samples: samples)
    for k in stride(from: last, to: sweep.lowest, by: -1) {
      guard let below = sweep.rows[k - 1] else { continue }
      if let above = sweep.rows[k], !(isBelowLastStarted && k == last) {
        let layer = stages.network.layers[k - 1]
        let weights = problem.network.weights[k - 1]
        scratch.update(below, reading: above) { to, from in
          blas.multiply(
            Matrix(from, rows: rows, columns: layer.outputs),
            Matrix(weights.span, rows: layer.outputs, columns: layer.inputs), into: &to)
        }
      }
      if !pullThrough(k - 1, below, rowsPerSample: sweep.rowsPerSample, samples: samples) {
        count(k - 1, of: sweep, samples: samples)
      }
    }
  }

  /// Counts what is not finite among the rows of layer k, if a gradient reads them.
  private mutating func count(_ k: Int, of sweep: Stages.Sweep, samples: Int) {
    guard sweep.read.contains(k), let region = sweep.rows[k] else { return }
    let count = samples * sweep.rowsPerSample * stages.network.width(k)
    let found = Numerics.NonFinite(in: scratch.numbers(region).extracting(0..<count))
    numerics.localGradients.add(found)
  }

  /// Whether all rows are known to be finite then.
  @discardableResult
  private mutating func pullThrough(
    _ k: Int, _ region: Region, rowsPerSample: Int, samples: Int
  ) -> Bool {
    guard k > 0 else { return false }
    let layer = stages.network.layers[k - 1]
    guard layer.activation != .identity else { return false }
    return scratch.update(region, reading: stages.slopes[k - 1]) { rows, slopes in
      layer.activation.pullBack(
        &rows, slopes: slopes, samples: samples, rowsPerSample: rowsPerSample,
        width: layer.outputs)
    }
  }
}

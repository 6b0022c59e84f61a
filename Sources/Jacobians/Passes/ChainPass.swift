/// Where the parts of ∂y/∂x are while it is multiplied out in the order of a bracketing, for one block of samples.
struct ChainLayout: Sendable {
  /// A part of the chain, and where its numbers are.
  indirect enum Part: Sendable {
    /// F_k by itself.
    case factor(Int, place: Region)
    /// X F_k: X with its rows scaled, then multiplied by W_k, all samples at once.
    case right(Part, Int, copy: Region, place: Region)
    /// F_k Y, held as columns: Yᵀ W_kᵀ for all samples at once, then scaled.
    case left(Int, Part, copy: Region, place: Region)
    /// X Y, sample by sample.
    case both(Part, Part, place: Region)
  }

  let whole: Part
  /// Where the result is turned to rows, if it came as columns.
  private let turned: Region
  let outputs: OutputSubset
  let network: NetworkShape

  /// Lays out all parts for blocks of a job.
  init(
    _ bracketing: Bracketing, outputs: OutputSubset, for stages: Stages,
    in layout: inout ScratchLayout
  ) {
    self.outputs = outputs
    let network = stages.network
    self.network = network
    let samples = stages.samples
    func area(_ name: String, _ rows: Int, _ columns: Int) -> Region {
      let (all, overflow) = samples.multipliedReportingOverflow(by: rows)
      return layout.add(name, rows: overflow ? .max : all, columns: columns)
    }
    func rows(_ k: Int) -> Int { k == network.layers.count ? outputs.count : network.width(k) }
    // F_L from the left gives all outputs in their own order.
    let isWhole =
      outputs.count == network.outputs && outputs.indices.allSatisfy { outputs[$0] == $0 }
    func part(_ node: Bracketing.Node) -> Part {
      let layers = node.layers
      let height = rows(layers.upperBound)
      let width = network.width(layers.lowerBound - 1)
      switch node {
      case .factor(let k): return .factor(k, place: area("F\(k)", height, width))
      case .product(let left, .factor(let k)):
        return .right(
          part(left), k, copy: area("copy", height, network.width(k)),
          place: area("X F\(k)", height, width))
      case .product(.factor(let k), let right)
      where k < network.layers.count || isWhole:
        return .left(
          k, part(right), copy: area("copy", width, network.width(k - 1)),
          place: area("F\(k) Y", width, network.width(k)))
      case .product(let left, let right):
        return .both(part(left), part(right), place: area("X Y", height, width))
      }
    }
    whole = part(bracketing.tree)
    turned = area("∂y/∂x", outputs.count, network.inputs)
  }

  /// Where ∂y/∂x is at the end, (samples, outputs, n_0).
  var result: Region { turned }
}

/// Multiplies ∂y/∂x out for one block of samples.
struct ChainPass<T: Scalar>: Sendable {
  let layout: ChainLayout
  let workspace: Workspace<T>
  let blas: BLAS

  /// A part's numbers: for every sample its rows, or its columns.
  private struct Value {
    let place: Region
    /// Of the part, whichever way it is held.
    let rows: Int
    let columns: Int
    let isColumns: Bool

    var count: Int { rows * columns }
  }

  private var network: NetworkShape { layout.network }

  private func rows(_ k: Int) -> Int {
    k == network.layers.count ? layout.outputs.count : network.width(k)
  }

  /// Leaves ∂y/∂x of a block at the layout's result.
  func run(_ block: borrowing Block<T>) {
    let value = compute(layout.whole, block)
    let samples = block.samples.count
    var result = workspace.mutable(layout.result)
    let numbers = workspace.numbers(value.place)
    for s in 0..<samples {
      let own = numbers.extracting(s * value.count..<(s + 1) * value.count)
      var place = result._mutatingExtracting(s * value.count..<(s + 1) * value.count)
      if value.isColumns {
        transpose(
          own, rows: value.columns, columns: value.rows, into: &place, at: 0, stride: value.columns)
      } else {
        copy(own, to: &place)
      }
    }
  }

  private func compute(_ part: ChainLayout.Part, _ block: borrowing Block<T>) -> Value {
    switch part {
    case .factor(let k, let place): return factor(k, place, block)
    case .right(let left, let k, let copy, let place):
      return multiply(compute(left, block), right: k, copy, place, block)
    case .left(let k, let right, let copy, let place):
      return multiply(left: k, compute(right, block), copy, place, block)
    case .both(let left, let right, let place):
      return multiply(compute(left, block), compute(right, block), place, block)
    }
  }

  /// ∂φ_k/∂v_k W_k, rows of every sample.
  private func factor(_ k: Int, _ place: Region, _ block: borrowing Block<T>) -> Value {
    let samples = block.samples.count
    let layer = network.layers[k - 1]
    let isLast = k == network.layers.count
    let outputs = isLast ? layout.outputs : OutputSubset(allOf: layer.outputs)
    let weights = block.problem.network.weights[k - 1]
    var target = workspace.mutable(place)
    if layer.activation.isElementwise {
      scaleRows(
        of: weights.span, by: block.slopes(k), into: &target, samples: samples, outputs: outputs,
        width: layer.inputs, factorWidth: layer.outputs)
    } else {
      fillProduct(k, outputs, weights, into: &target, block)
    }
    return Value(place: place, rows: outputs.count, columns: layer.inputs, isColumns: false)
  }

  /// The same where ∂φ/∂v is a full matrix: s_o (W[o, :] − sᵀW) for softmax, W[o, :] − sᵀW for log-softmax.
  private func fillProduct(
    _ k: Int, _ outputs: OutputSubset, _ weights: Values<T>, into target: inout MutableSpan<T>,
    _ block: borrowing Block<T>
  ) {
    let layer = network.layers[k - 1]
    let w = weights.span
    let slopes = block.slopes(k)
    let size = outputs.count * layer.inputs
    for sample in 0..<block.samples.count {
      let s = slopes.extracting(sample * layer.outputs..<(sample + 1) * layer.outputs)
      var own = target._mutatingExtracting(sample * size..<(sample + 1) * size)
      for i in 0..<layer.inputs {
        var mean: T = 0
        for j in s.indices { mean += s[j] * w[j * layer.inputs + i] }
        for r in outputs.indices {
          let o = outputs[r]
          let difference = w[o * layer.inputs + i] - mean
          own[r * layer.inputs + i] =
            layer.activation == .softmax ? s[o] * difference : difference
        }
      }
    }
  }

  /// X F_k.
  private func multiply(
    _ value: Value, right k: Int, _ copyPlace: Region, _ place: Region, _ block: borrowing Block<T>
  ) -> Value {
    let samples = block.samples.count
    let layer = network.layers[k - 1]
    let x = laid(value, asColumns: false, at: copyPlace, samples: samples)
    do {
      var rows = workspace.mutable(x)
      layer.activation.pullBack(
        &rows, slopes: block.slopes(k), samples: samples, rowsPerSample: value.rows,
        width: layer.outputs)
    }
    let weights = block.problem.network.weights[k - 1]
    var target = workspace.mutable(place)
    blas.multiply(
      Matrix(workspace.numbers(x), rows: samples * value.rows, columns: layer.outputs),
      Matrix(weights.span, rows: layer.outputs, columns: layer.inputs), into: &target)
    return Value(place: place, rows: value.rows, columns: layer.inputs, isColumns: false)
  }

  /// F_k Y, as columns.
  private func multiply(
    left k: Int, _ value: Value, _ copyPlace: Region, _ place: Region, _ block: borrowing Block<T>
  ) -> Value {
    let samples = block.samples.count
    let layer = network.layers[k - 1]
    let y = laid(value, asColumns: true, at: copyPlace, samples: samples)
    let weights = block.problem.network.weights[k - 1]
    var target = workspace.mutable(place)
    blas.multiply(
      Matrix(workspace.numbers(y), rows: samples * value.columns, columns: layer.inputs),
      Matrix(weights.span, rows: layer.outputs, columns: layer.inputs).transposed, into: &target)
    layer.activation.pushForward(
      &target, slopes: block.slopes(k), samples: samples, rowsPerSample: value.columns,
      width: layer.outputs)
    return Value(place: place, rows: layer.outputs, columns: value.columns, isColumns: true)
  }

  /// X Y, sample by sample.
  private func multiply(
    _ left: Value, _ right: Value, _ place: Region, _ block: borrowing Block<T>
  ) -> Value {
    let size = left.rows * right.columns
    for sample in 0..<block.samples.count {
      var target = workspace.mutable(place.part(sample * size..<(sample + 1) * size))
      blas.multiply(matrix(left, sample), matrix(right, sample), into: &target)
    }
    return Value(place: place, rows: left.rows, columns: right.columns, isColumns: false)
  }

  @_lifetime(borrow self)
  private func matrix(_ value: Value, _ sample: Int) -> Matrix<T> {
    let numbers = workspace.numbers(value.place)
    let start = sample * value.count
    let matrix =
      value.isColumns
      ? Matrix(numbers, at: start, rows: value.columns, columns: value.rows).transposed
      : Matrix(numbers, at: start, rows: value.rows, columns: value.columns)
    return unsafe _overrideLifetime(matrix, borrowing: self)
  }

  /// A part held the way that is asked for: where it is, or turned at `place`.
  private func laid(
    _ value: Value, asColumns: Bool, at place: Region, samples: Int
  ) -> Region {
    if value.isColumns == asColumns { return value.place }
    let (from, to) =
      value.isColumns ? (value.columns, value.rows) : (value.rows, value.columns)
    let numbers = workspace.numbers(value.place)
    var target = workspace.mutable(place)
    for s in 0..<samples {
      var own = target._mutatingExtracting(s * value.count..<(s + 1) * value.count)
      transpose(
        numbers.extracting(s * value.count..<(s + 1) * value.count), rows: from, columns: to,
        into: &own, at: 0, stride: from)
    }
    return place
  }
}

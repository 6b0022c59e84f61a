// Goals, in order: the right limit at ±∞ and no overflow on the way; NaN in, NaN out; the derivatives of
// PyTorch at kinks; few calls of elementary functions. Every formula gives value and slope together, as
// they share their exponentials.
//
// Where a product of ∞ and 0 would make NaN of a limit that exists (v e^{−v²}, v σ'(v), …), v is first
// clamped to a bound beyond which the formula has reached its limit in float64 already.

/// φ(v) and φ'(v) at one local field.
package struct ActivationPoint<T: Scalar> {
  /// φ(v).
  package let value: T
  /// φ'(v).
  package let slope: T

  @inline(__always)
  init(_ value: T, _ slope: T) {
    self.value = value
    self.slope = slope
  }
}

extension Activation {
  /// Replaces local fields v, rows of `width` units, by φ(v), and fills `slopes` unless it is empty.
  ///
  /// `slopes` receives what `pullBack` multiplies by: φ'(v) for an elementwise activation; the softmax s
  /// for `softmax` and `log-softmax`, whose ∂φ/∂v is a full matrix made of s.
  @specialized(where T == Double)
  @specialized(where T == Float)
  package func apply<T: Scalar>(
    to rows: inout MutableSpan<T>, width: Int, slopes: inout MutableSpan<T>
  ) {
    precondition(slopes.isEmpty || slopes.count == rows.count, "a slope for every unit, or none")
    switch self {
    case .identity:
      for i in slopes.indices { slopes[i] = 1 }
    case .tanh where VectorInstructions.areUsable:
      VectorInstructions.tanh(&rows, slopes: &slopes)
    case .tanh:
      each(&rows, &slopes) { v in
        let a = T.tanh(v)
        return ActivationPoint(a, 1 - a * a)
      }
    case .sigmoid:
      each(&rows, &slopes) { v in
        let s = Logistic(v)
        return ActivationPoint(s.value, s.slope)
      }
    case .relu:
      each(&rows, &slopes) { v in
        v > 0 ? ActivationPoint(v, 1) : v <= 0 ? ActivationPoint(0, 0) : ActivationPoint(v, v)
      }
    case .leakyReLU(let slope):
      let slope = T(slope)
      each(&rows, &slopes) { v in
        v > 0
          ? ActivationPoint(v, 1)
          : ActivationPoint(v * slope, v <= 0 ? slope : v)
      }
    case .elu(let alpha):
      let alpha = T(alpha)
      each(&rows, &slopes) { v in
        v > 0
          ? ActivationPoint(v, 1)
          : ActivationPoint(alpha * T.expMinusOne(v), alpha * T.exp(v))
      }
    case .selu:
      let scale = T(1.0507009873554804934193349852946)
      let scaleAlpha = T(1.0507009873554804934193349852946 * 1.6732632423543772848170429916717)
      each(&rows, &slopes) { v in
        v > 0
          ? ActivationPoint(scale * v, scale)
          : ActivationPoint(scaleAlpha * T.expMinusOne(v), scaleAlpha * T.exp(v))
      }
    case .softplus(let beta, let threshold):
      let beta = T(beta)
      let threshold = T(threshold)
      each(&rows, &slopes) { v in
        // ln(1 + eˣ) = max(x, 0) + ln(1 + e^{−|x|}).
        let x = beta * v
        if x > threshold { return ActivationPoint(v, 1) }
        let s = Logistic(x)
        return ActivationPoint(((x > 0 ? x : 0) + T.logOnePlus(s.decay)) / beta, s.value)
      }
    case .softsign:
      each(&rows, &slopes) { v in
        let r = 1 / (1 + abs(v))
        return ActivationPoint(abs(v) == .infinity ? (v > 0 ? 1 : -1) : v / (1 + abs(v)), r * r)
      }
    case .gelu:
      let halfRoot = T(0.5.squareRoot())
      let density = T(0.398942280401432677939946059934)  // 1 / √(2π)
      each(&rows, &slopes) { v in
        let w = clamped(v, to: 64)
        let below = T.erfc(-w * halfRoot) / 2
        return ActivationPoint(
          v < -64 ? 0 : v * below, below + w * density * T.exp(-w * w / 2))
      }
    case .geluTanh:
      // ½ (1 + tanh u) is the logistic function of 2u, without its cancellation.
      let c = T(2 * 0.797884560802865355879892119869)  // 2 √(2/π)
      each(&rows, &slopes) { v in
        let w = clamped(v, to: 64)
        let s = Logistic(c * (w + T(0.044715) * w * w * w))
        return ActivationPoint(
          v < -64 ? 0 : v * s.value,
          s.value + w * s.slope * c * (1 + T(3 * 0.044715) * w * w))
      }
    case .silu:
      each(&rows, &slopes) { v in
        let w = clamped(v, to: 800)
        let s = Logistic(w)
        return ActivationPoint(v < -800 ? 0 : v * s.value, s.value + w * s.slope)
      }
    case .hardTanh(let minimum, let maximum):
      let minimum = T(minimum)
      let maximum = T(maximum)
      each(&rows, &slopes) { v in
        v <= minimum
          ? ActivationPoint(minimum, 0)
          : v >= maximum ? ActivationPoint(maximum, 0) : ActivationPoint(v, v == v ? 1 : v)
      }
    case .sin:
      each(&rows, &slopes) { v in ActivationPoint(T.sin(v), T.cos(v)) }
    case .softmax:
      softmaxRows(&rows, width: width)
      for i in slopes.indices { slopes[i] = rows[i] }
    case .logSoftmax:
      logSoftmaxRows(&rows, width: width)
      for i in slopes.indices { slopes[i] = T.exp(rows[i]) }
    }
  }

  /// Multiplies stacked rows g by ∂φ/∂v of their sample, in place: `rowsPerSample` rows for each sample.
  ///
  /// Elementwise: g ∘ φ'. softmax: s ∘ (g − ⟨g, s⟩). log-softmax: g − s Σ g. No n × n matrix is formed.
  /// Whether all rows are known to be finite; where looking would take a pass of its own, nobody looks.
  @specialized(where T == Double)
  @specialized(where T == Float)
  @discardableResult
  package func pullBack<T: Scalar>(
    _ rows: inout MutableSpan<T>, slopes: Span<T>, samples: Int, rowsPerSample: Int, width: Int
  ) -> Bool {
    if self == .identity { return false }
    precondition(rows.count >= samples * rowsPerSample * width && slopes.count >= samples * width)
    var areFinite = VectorInstructions.areUsable && isElementwise
    for sample in 0..<samples {
      let s = slopes.extracting(sample * width..<(sample + 1) * width)
      if VectorInstructions.areUsable, isElementwise {
        let start = sample * rowsPerSample * width
        var g = rows._mutatingExtracting(start..<start + rowsPerSample * width)
        areFinite = VectorInstructions.scale(&g, by: s) && areFinite
        continue
      }
      for r in 0..<rowsPerSample {
        let start = (sample * rowsPerSample + r) * width
        var g = rows._mutatingExtracting(start..<start + width)
        switch self {
        case .softmax:
          var inner: T = 0
          for i in s.indices { inner += g[i] * s[i] }
          for i in s.indices { g[i] = s[i] * (g[i] - inner) }
        case .logSoftmax:
          var sum: T = 0
          for i in s.indices { sum += g[i] }
          for i in s.indices { g[i] -= s[i] * sum }
        default:
          for i in s.indices { g[i] *= s[i] }
        }
      }
    }
    return areFinite
  }

  /// Multiplies ∂φ/∂v of their sample by stacked columns t, held as rows, in place: `rowsPerSample` for each sample.
  ///
  /// Elementwise: φ' ∘ t. softmax: s ∘ (t − ⟨s, t⟩). log-softmax: t − ⟨s, t⟩. No n × n matrix is formed.
  @specialized(where T == Double)
  @specialized(where T == Float)
  package func pushForward<T: Scalar>(
    _ rows: inout MutableSpan<T>, slopes: Span<T>, samples: Int, rowsPerSample: Int, width: Int
  ) {
    guard self == .logSoftmax else {
      // The others' ∂φ/∂v are symmetric.
      pullBack(
        &rows, slopes: slopes, samples: samples, rowsPerSample: rowsPerSample, width: width)
      return
    }
    precondition(rows.count >= samples * rowsPerSample * width && slopes.count >= samples * width)
    for row in 0..<samples * rowsPerSample {
      let sample = row / rowsPerSample
      let s = slopes.extracting(sample * width..<(sample + 1) * width)
      var t = rows._mutatingExtracting(row * width..<(row + 1) * width)
      var inner: T = 0
      for i in s.indices { inner += s[i] * t[i] }
      for i in s.indices { t[i] -= inner }
    }
  }

  /// Fills stacked rows with rows `outputs` of ∂φ/∂v itself, one sample after another: δ_L.
  ///
  /// Elementwise: φ' on the diagonal. softmax: s_o (1{o=j} − s_j). log-softmax: 1{o=j} − s_j.
  @specialized(where T == Double)
  @specialized(where T == Float)
  package func fillJacobian<T: Scalar>(
    _ rows: inout MutableSpan<T>, slopes: Span<T>, samples: Int, outputs: OutputSubset, width: Int
  ) {
    for sample in 0..<samples {
      for r in outputs.indices {
        let o = outputs[r]
        let start = (sample * outputs.count + r) * width
        var row = rows._mutatingExtracting(start..<start + width)
        if isElementwise {
          for j in row.indices { row[j] = 0 }
          row[o] = self == .identity ? 1 : slopes[sample * width + o]
        } else {
          let s = slopes.extracting(sample * width..<(sample + 1) * width)
          let factor = self == .softmax ? s[o] : 1
          for j in row.indices { row[j] = -factor * s[j] }
          row[o] = factor * (1 - s[o])
        }
      }
    }
  }
}

/// The logistic function σ(x) = 1 / (1 + e⁻ˣ), by e^{−|x|}, which never overflows.
private struct Logistic<T: Scalar> {
  /// e^{−|x|}.
  let decay: T
  let value: T
  /// σ'(x) = e^{−|x|} / (1 + e^{−|x|})²: exact in both tails, where σ (1 − σ) is not.
  let slope: T

  @inline(__always)
  init(_ x: T) {
    decay = T.exp(-abs(x))
    let r = 1 / (1 + decay)
    value = x < 0 ? decay * r : r
    slope = decay * r * r
  }
}

@inline(__always)
private func clamped<T: Scalar>(_ v: T, to bound: T) -> T {
  v > bound ? bound : v < -bound ? -bound : v
}

@inline(__always)
private func each<T: Scalar>(
  _ rows: inout MutableSpan<T>, _ slopes: inout MutableSpan<T>, _ point: (T) -> ActivationPoint<T>
) {
  if slopes.isEmpty {
    for i in rows.indices { rows[i] = point(rows[i]).value }
  } else {
    for i in rows.indices {
      let p = point(rows[i])
      rows[i] = p.value
      slopes[i] = p.slope
    }
  }
}

/// s_i = e^{v_i − max v} / Σ_j e^{v_j − max v}, row by row.
@inline(__always)
private func softmaxRows<T: Scalar>(_ rows: inout MutableSpan<T>, width: Int) {
  for start in stride(from: 0, to: rows.count, by: width) {
    var row = rows._mutatingExtracting(start..<start + width)
    let top = largest(of: row.span)
    var sum: T = 0
    for i in row.indices {
      let e = T.exp(row[i] - top)
      row[i] = e
      sum += e
    }
    for i in row.indices { row[i] /= sum }
  }
}

/// v_i − max v − ln Σ_j e^{v_j − max v}, row by row.
@inline(__always)
private func logSoftmaxRows<T: Scalar>(_ rows: inout MutableSpan<T>, width: Int) {
  for start in stride(from: 0, to: rows.count, by: width) {
    var row = rows._mutatingExtracting(start..<start + width)
    let top = largest(of: row.span)
    var sum: T = 0
    for i in row.indices { sum += T.exp(row[i] - top) }
    let logSum = T.log(sum)
    for i in row.indices { row[i] = row[i] - top - logSum }
  }
}

/// The largest number of a row, NaN left out: it comes through the sum of exponentials.
@inline(__always)
private func largest<T: Scalar>(of row: Span<T>) -> T {
  var top = -T.infinity
  for i in row.indices where row[i] > top { top = row[i] }
  return top
}

import Jacobians
import TestSupport
import Testing

/// φ and φ' of every activation, on whole rows.
@Suite struct ActivationTests {
  static let all: [Activation] =
    Activation.named.map(\.activation) + [
      .leakyReLU(slope: 0.3), .leakyReLU(slope: 1), .elu(alpha: 0.5),
      .softplus(beta: 3, threshold: 5), .softplus(beta: -1, threshold: .infinity),
      .hardTanh(minimum: -0.25, maximum: 2),
    ]
  static let elementwise = all.filter { $0.isElementwise }

  static func apply<T: Scalar>(
    _ activation: Activation, _ v: [T], width: Int? = nil
  ) -> (values: [T], slopes: [T]) {
    var rows = v
    var slopes = [T](repeating: 7, count: v.count)
    var rowsSpan = rows.mutableSpan
    var slopesSpan = slopes.mutableSpan
    activation.apply(to: &rowsSpan, width: width ?? v.count, slopes: &slopesSpan)
    return (rows, slopes)
  }

  // Relative to the largest of value and 1: the textbook forms cancel by some units in the last place.
  @Test(arguments: elementwise) func `values and slopes agree with the textbook forms`(
    _ activation: Activation
  ) {
    var random = SeededGenerator(seed: 1)
    let v = random.numbers(500, scale: 9) + random.numbers(100, scale: 0.01)
    let double = ActivationTests.apply(activation, v)
    #expect(
      relativeError(double.values, v.map { PlainNetwork.value(activation, $0) }) < 1e-15)
    #expect(
      relativeError(double.slopes, v.map { PlainNetwork.slope(activation, $0) }) < 4e-15)
    let single = ActivationTests.apply(activation, v.map { Float($0) })
    #expect(relativeError(single.values, double.values) < 4e-7)
    #expect(relativeError(single.slopes, double.slopes) < 2e-6)
  }

  @Test(arguments: all) func `values alone are the values that come with slopes`(
    _ activation: Activation
  ) {
    var random = SeededGenerator(seed: 2)
    let v = random.numbers(60, scale: 5)
    var rows = v
    var none: [Double] = []
    var rowsSpan = rows.mutableSpan
    var noSpan = none.mutableSpan
    activation.apply(to: &rowsSpan, width: 6, slopes: &noSpan)
    #expect(rows == ActivationTests.apply(activation, v, width: 6).values)
  }

  // Central differences with h = 10⁻⁵: they err by h² φ‴/6, some 10⁻¹⁰.
  @Test(arguments: elementwise) func `slopes are finite differences of values`(
    _ activation: Activation
  ) {
    var random = SeededGenerator(seed: 3)
    let h = 1e-5
    let breaks = activation.kinks + [20, 5.0 / 3, 0]
    let v = random.numbers(400, scale: 6).filter { x in breaks.allSatisfy { abs(x - $0) > 2 * h } }
    let slopes = ActivationTests.apply(activation, v).slopes
    let ahead = ActivationTests.apply(activation, v.map { $0 + h }).values
    let behind = ActivationTests.apply(activation, v.map { $0 - h }).values
    for i in v.indices {
      let difference = (ahead[i] - behind[i]) / (2 * h)
      #expect(abs(difference - slopes[i]) < 2e-9, "at \(v[i])")
    }
  }

  struct Special: CustomTestStringConvertible, Sendable {
    let activation: Activation
    let v: Double
    let value: Double
    let slope: Double
    init(_ activation: Activation, _ v: Double, _ value: Double, _ slope: Double) {
      self.activation = activation
      self.v = v
      self.value = value
      self.slope = slope
    }
    var testDescription: String { "\(activation) at \(v)" }
  }

  static let seluLimit = 1.0507009873554805 * 1.6732632423543772

  static let specials: [Special] = [
    Special(.identity, .infinity, .infinity, 1), Special(.identity, 0, 0, 1),
    Special(.tanh, .infinity, 1, 0), Special(.tanh, -.infinity, -1, 0), Special(.tanh, 0, 0, 1),
    Special(.sigmoid, .infinity, 1, 0), Special(.sigmoid, -.infinity, 0, 0),
    Special(.sigmoid, 0, 0.5, 0.25), Special(.sigmoid, -1e30, 0, 0), Special(.sigmoid, 1e30, 1, 0),
    Special(.relu, .infinity, .infinity, 1), Special(.relu, -.infinity, 0, 0),
    Special(.relu, 0, 0, 0), Special(.relu, -0.0, 0, 0),
    Special(.leakyReLU(slope: 0.25), 0, 0, 0.25),
    Special(.leakyReLU(slope: 0.25), -.infinity, -.infinity, 0.25),
    Special(.leakyReLU(slope: 0.25), .infinity, .infinity, 1),
    Special(.elu(alpha: 1.5), -.infinity, -1.5, 0), Special(.elu(alpha: 1.5), 0, 0, 1.5),
    Special(.elu(alpha: 1.5), .infinity, .infinity, 1), Special(.elu(alpha: 1), 1e30, 1e30, 1),
    Special(.selu, -.infinity, -seluLimit, 0), Special(.selu, 0, 0, seluLimit),
    Special(.selu, .infinity, .infinity, 1.0507009873554805),
    Special(.softplus(beta: 1, threshold: 20), -.infinity, 0, 0),
    Special(.softplus(beta: 1, threshold: 20), .infinity, .infinity, 1),
    Special(.softplus(beta: 1, threshold: 20), 20.5, 20.5, 1),
    Special(.softplus(beta: 1, threshold: 1e30), 1e20, 1e20, 1),
    Special(.softsign, .infinity, 1, 0), Special(.softsign, -.infinity, -1, 0),
    Special(.softsign, 0, 0, 1), Special(.softsign, -1e30, -1, 0),
    Special(.gelu, -.infinity, 0, 0), Special(.gelu, .infinity, .infinity, 1),
    Special(.gelu, 0, 0, 0.5), Special(.gelu, 1e30, 1e30, 1), Special(.gelu, -1e30, 0, 0),
    Special(.geluTanh, -.infinity, 0, 0), Special(.geluTanh, .infinity, .infinity, 1),
    Special(.geluTanh, 0, 0, 0.5), Special(.geluTanh, 1e30, 1e30, 1),
    Special(.geluTanh, -1e30, 0, 0),
    Special(.silu, -.infinity, 0, 0), Special(.silu, .infinity, .infinity, 1),
    Special(.silu, 0, 0, 0.5), Special(.silu, 1e30, 1e30, 1), Special(.silu, -1e30, 0, 0),
    Special(.hardTanh(minimum: -1, maximum: 2), -1, -1, 0),
    Special(.hardTanh(minimum: -1, maximum: 2), 2, 2, 0),
    Special(.hardTanh(minimum: -1, maximum: 2), 1.5, 1.5, 1),
    Special(.hardTanh(minimum: -1, maximum: 2), .infinity, 2, 0),
    Special(.hardTanh(minimum: -1, maximum: 2), -.infinity, -1, 0),
    Special(.sin, 0, 0, 1),
  ]

  @Test(arguments: specials) func `limits, kinks and huge arguments are exact`(_ s: Special) {
    // The float32 conversion of a constant is its nearest number: one unit in the last place.
    let double = ActivationTests.apply(s.activation, [s.v])
    #expect(double.values == [s.value] || abs(double.values[0] - s.value) < 3e-16)
    #expect(double.slopes == [s.slope] || abs(double.slopes[0] - s.slope) < 3e-16)
    let single = ActivationTests.apply(s.activation, [Float(s.v)])
    #expect(single.values[0] == Float(s.value) || abs(single.values[0] - Float(s.value)) < 2e-7)
    #expect(single.slopes[0] == Float(s.slope) || abs(single.slopes[0] - Float(s.slope)) < 2e-7)
  }

  @Test(arguments: elementwise) func `NaN comes out as NaN and stays in its unit`(
    _ activation: Activation
  ) {
    let (values, slopes) = ActivationTests.apply(activation, [1, Double.nan, 0.5])
    #expect(values[1].isNaN && !values[0].isNaN && !values[2].isNaN)
    #expect(activation == .identity || (slopes[1].isNaN && !slopes[0].isNaN && !slopes[2].isNaN))
  }

  @Test(arguments: elementwise) func `no finite argument gives NaN`(_ activation: Activation) {
    let v: [Double] = [
      .greatestFiniteMagnitude, 1e200, 1e100, 1e10, 1000, 750, 700, 90, 65, 40,
      .leastNonzeroMagnitude, 0,
    ]
    let double = ActivationTests.apply(activation, v + v.map { -$0 })
    #expect((double.values + double.slopes).allSatisfy { !$0.isNaN })
    let w: [Float] = [
      .greatestFiniteMagnitude, 1e30, 1e20, 1e10, 1000, 120, 89, 65, 40, .leastNonzeroMagnitude, 0,
    ]
    let single = ActivationTests.apply(activation, w + w.map { -$0 })
    #expect((single.values + single.slopes).allSatisfy { !$0.isNaN })
  }

  @Test func `softmax neither overflows nor loses rows to a neighbour's NaN`() {
    let v: [Double] = [1e300, 0, -1e300, 800, 800, 800, 1, .nan, 2, -.infinity, 0, 0]
    let soft = ActivationTests.apply(.softmax, v, width: 3).values
    #expect(Array(soft[0..<3]) == [1, 0, 0])
    #expect(Array(soft[3..<6]) == [Double](repeating: 1.0 / 3, count: 3))
    #expect(soft[6..<9].allSatisfy { $0.isNaN })
    #expect(Array(soft[9..<12]) == [0, 0.5, 0.5])
    let logs = ActivationTests.apply(.logSoftmax, v, width: 3).values
    #expect(Array(logs[0..<3]) == [0, -1e300, -2e300])
    #expect(logs[6..<9].allSatisfy { $0.isNaN })
    #expect(logs[9] == -.infinity)
  }

  // Exact up to rounding of n products.
  @Test(arguments: all) func `rows are pulled back as by the full matrix`(_ activation: Activation)
  {
    let n = 7
    let samples = 3
    let rowsPerSample = 2
    var random = SeededGenerator(seed: 4)
    let v = random.numbers(samples * n, scale: 2)
    let g = random.numbers(samples * rowsPerSample * n)
    let slopes = ActivationTests.apply(activation, v, width: n).slopes
    var pulled = g
    var span = pulled.mutableSpan
    activation.pullBack(
      &span, slopes: slopes.span, samples: samples, rowsPerSample: rowsPerSample, width: n)
    let outputs = [4, 0]
    var jacobian = [Double](repeating: .nan, count: samples * outputs.count * n)
    var jacobianSpan = jacobian.mutableSpan
    activation.fillJacobian(
      &jacobianSpan, slopes: slopes.span, samples: samples, outputs: OutputSubset(outputs), width: n
    )
    for s in 0..<samples {
      let full = PlainNetwork.jacobian(activation, Array(v[s * n..<(s + 1) * n]))
      for r in 0..<rowsPerSample {
        let row = Array(g[(s * rowsPerSample + r) * n..<(s * rowsPerSample + r + 1) * n])
        let expected = (0..<n).map { j in (0..<n).reduce(0) { $0 + row[$1] * full[$1][j] } }
        let start = (s * rowsPerSample + r) * n
        #expect(relativeError(Array(pulled[start..<start + n]), expected) < 1e-14)
        #expect(relativeError(Array(jacobian[start..<start + n]), full[outputs[r]]) < 1e-14)
      }
    }
  }
}

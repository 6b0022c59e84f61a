import Foundation
import Jacobians
import Testing

/// The engine's own tanh against the C library's.
@Suite struct HyperbolicTangentTests {
  @Test func `tanh is within four units in the last place at every size`() {
    var x = 1e-300
    while x < 100 {
      let expected = Foundation.tanh(x)
      #expect(abs(Double.tanh(x) - expected) <= 4 * expected.ulp, "\(x)")
      #expect(Double.tanh(-x) == -Double.tanh(x))
      x *= x < 1e-10 ? 7.3 : 1.003
    }
    var y: Float = 1e-30
    while y < 100 {
      let expected = Float(Foundation.tanh(Double(y)))
      #expect(abs(Float.tanh(y) - expected) <= 4 * expected.ulp, "\(y)")
      #expect(Float.tanh(-y) == -Float.tanh(y))
      y *= y < 1e-10 ? 7.3 : 1.003
    }
  }

  @Test func `limits, signs of zero and NaN are kept`() {
    #expect(Double.tanh(.infinity) == 1 && Double.tanh(-.infinity) == -1)
    #expect(Float.tanh(.infinity) == 1 && Float.tanh(-.infinity) == -1)
    #expect(Double.tanh(0).sign == .plus && Double.tanh(-0.0).sign == .minus)
    #expect(Float.tanh(0).sign == .plus && Float.tanh(-0.0).sign == .minus)
    #expect(Double.tanh(.nan).isNaN && Float.tanh(.nan).isNaN)
    #expect(Double.tanh(.leastNonzeroMagnitude) == .leastNonzeroMagnitude)
    #expect(Double.tanh(.greatestFiniteMagnitude) == 1)
  }
}

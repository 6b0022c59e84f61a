// tanh for whole rows. Goals, in order: an error of a few units in the last place at every x, small x included;
// NaN, signs and limits kept; no branch and no call, so that loops over it become vector code. glibc's tanh,
// one number a call, takes three times as long, which was most of the forward pass of a tanh network.
//
// With y = 2|x| and e = eʸ − 1: tanh |x| = e / (e + 2). Let y = n ln 2 + r, |r| ≤ ½ ln 2. Then
// e = 2ⁿ (eʳ − 1) + (2ⁿ − 1), where eʳ − 1 = r + r² (1/2! + r/3! + …): for small x, n is 0 and e is the series,
// exact relative to x; for n ≥ 1, e ≥ 0.4 and the sum loses at most a unit. The series ends where its next
// term is below a quarter unit of r: r¹³/14! < 2⁻⁵⁵ and r⁸/9! < 2⁻²⁶. |x| is clamped to where tanh is 1 already.
//
// n is found by adding 1.5 · 2⁵² (1.5 · 2²³), whose last place is 1: the sum is rounded to a whole number, and its
// last bits are n itself, from which 2ⁿ is made by a shift. ln 2 is subtracted in two parts, the first so short
// that its product with n is exact.

extension Double {
  /// tanh x, within four units in the last place, without branches.
  @inline(__always)
  static func hyperbolicTangent(_ x: Double) -> Double {
    let a = Swift.abs(x)
    let y = 2 * (a > 20 ? 20 : a)
    let shifted = y * 0x1.71547652b82fep+0 + 0x1.8p+52
    let n = shifted - 0x1.8p+52
    let r = (y - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33
    var series = 1.0 / 6_227_020_800
    series = series * r + 1.0 / 479_001_600
    series = series * r + 1.0 / 39_916_800
    series = series * r + 1.0 / 3_628_800
    series = series * r + 1.0 / 362_880
    series = series * r + 1.0 / 40_320
    series = series * r + 1.0 / 5_040
    series = series * r + 1.0 / 720
    series = series * r + 1.0 / 120
    series = series * r + 1.0 / 24
    series = series * r + 1.0 / 6
    series = series * r + 0.5
    let power = Double(bitPattern: (shifted.bitPattern &+ 1023) &<< 52)
    let e = power * (r + r * r * series) + (power - 1)
    return Double(signOf: x, magnitudeOf: e / (e + 2))
  }
}

extension Float {
  /// tanh x, within four units in the last place, without branches.
  @inline(__always)
  static func hyperbolicTangent(_ x: Float) -> Float {
    let a = Swift.abs(x)
    let y = 2 * (a > 10 ? 10 : a)
    let shifted = y * 0x1.715476p+0 + 0x1.8p+23
    let n = shifted - 0x1.8p+23
    let r = (y - n * 0x1.62e4p-1) - n * 0x1.7f7d1cp-20
    var series: Float = 1.0 / 40_320
    series = series * r + 1.0 / 5_040
    series = series * r + 1.0 / 720
    series = series * r + 1.0 / 120
    series = series * r + 1.0 / 24
    series = series * r + 1.0 / 6
    series = series * r + 0.5
    let power = Float(bitPattern: (shifted.bitPattern &+ 127) &<< 23)
    let e = power * (r + r * r * series) + (power - 1)
    return Float(signOf: x, magnitudeOf: e / (e + 2))
  }
}

/// A decimal number w · 10ᵏ with at most 19 digits, and the double nearest to it.
///
/// Goals, in this order: exactly rounded (half to even, as IEEE 754 asks); no memory; fast. Python writes weights
/// with 17 digits, for which w < 2⁶⁴ and |k| ≤ 27 nearly always; then 5ᵏ < 2⁶⁴ too, and one division or
/// multiplication of 128 bits gives the quotient's first 63 bits or more and tells whether there is a rest.
/// A bit that stands for the rest ("sticky") lets one rounding to 53 bits see the whole number.
struct Decimal {
  /// w, the digits without leading zeros and without the point; meaningless after 19 digits.
  private var digits: UInt64 = 0
  private var digitCount = 0
  /// k.
  var exponent = 0

  /// 5⁰…5²⁷, all below 2⁶⁴.
  private static let powersOfFive: [UInt64] = (0...27).map { k in
    (0..<k).reduce(1 as UInt64) { power, _ in power * 5 }
  }

  /// Adds a digit at the end of w.
  mutating func append(_ digit: UInt64) {
    if digits == 0, digit == 0 { return }
    digits = digits &* 10 &+ digit
    digitCount += 1
  }

  /// The nearest double, or nil where w or k is too large for this way.
  var nearest: Double? {
    if digitCount == 0 { return 0 }
    // A whole number is rounded once, by its conversion.
    if exponent == 0, digitCount <= 19 { return Double(digits) }
    guard digitCount <= 19, (-27...27).contains(exponent) else { return nil }
    let power = Decimal.powersOfFive[abs(exponent)]
    return exponent < 0 ? Decimal.divide(digits, power, exponent) : multiplied(by: power)
  }

  /// w · 5ᵏ · 2ᵏ: the 128-bit product, shifted so that its highest bit is set, rounded once.
  private func multiplied(by power: UInt64) -> Double {
    let (high, low) = digits.multipliedFullWidth(by: power)
    if high == 0 { return Decimal.scaled(Double(low), exponent) }
    let shift = high.leadingZeroBitCount
    let top = shift == 0 ? high : high << shift | low >> (64 - shift)
    let sticky: UInt64 = low << shift == 0 ? 0 : 1
    return Decimal.scaled(Double(top | sticky), exponent + 64 - shift)
  }

  /// w / 5⁻ᵏ · 2ᵏ. With W = w·2ᵃ and D = 5⁻ᵏ·2ᵇ, highest bits set, W/D lies in (½, 2), so q = ⌊W·2⁶³/D⌋
  /// lies in [2⁶², 2⁶⁴): at least 63 bits, and the sticky bit is below the rounding position.
  /// The division cannot overflow: the numerator's upper half is W/2 < 2⁶³ ≤ D.
  private static func divide(_ w: UInt64, _ power: UInt64, _ k: Int) -> Double {
    let a = w.leadingZeroBitCount
    let b = power.leadingZeroBitCount
    let numerator = w << a
    let (q, rest) = (power << b).dividingFullWidth((numerator >> 1, numerator << 63))
    let sticky: UInt64 = rest == 0 ? 0 : 1
    return scaled(Double(q | sticky), k - 63 + b - a)
  }

  /// x · 2ᵉ, exact: |e| < 256 here, and all results lie between 10⁻²⁷ and 10⁴⁷.
  private static func scaled(_ x: Double, _ e: Int) -> Double {
    x * Double(bitPattern: UInt64(1023 + e) << 52)
  }
}

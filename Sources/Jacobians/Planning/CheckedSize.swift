/// A size in numbers or bytes whose every step is checked: nil once it has left 63 bits.
struct CheckedSize {
  /// The size, or nil when it does not fit.
  private(set) var value: Int?

  init(_ value: Int) { self.value = value }

  /// The product of all factors.
  init(product factors: [Int]) {
    self.init(1)
    for factor in factors { multiply(by: factor) }
  }

  mutating func multiply(by factor: Int) {
    guard let old = value else { return }
    let (product, overflow) = old.multipliedReportingOverflow(by: factor)
    value = overflow ? nil : product
  }

  mutating func add(_ other: Int?) {
    guard let old = value, let other else {
      value = nil
      return
    }
    let (sum, overflow) = old.addingReportingOverflow(other)
    value = overflow ? nil : sum
  }
}

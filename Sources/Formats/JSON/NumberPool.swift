package import Jacobians

/// The numbers of all arrays of one JSON document, in the order of the text; arrays are ranges of it.
///
/// One allocation for a whole document: `Values` borrow their ranges from here without a copy.
@safe package final class NumberPool: @unchecked Sendable {
  // Sendable: the memory is never written after the initialiser returns.
  private let base: UnsafeMutablePointer<Double>

  /// How many numbers there are.
  package let count: Int

  /// Takes over what a reader has filled.
  fileprivate init(owning base: UnsafeMutablePointer<Double>, count: Int) {
    unsafe self.base = unsafe base
    self.count = count
  }

  deinit { unsafe base.deallocate() }

  /// The numbers, in the order of the text.
  package var span: Span<Double> {
    @_lifetime(borrow self)
    borrowing get {
      let span = unsafe Span(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Lends the numbers of a range, which keep this pool alive.
  package func values(_ range: Range<Int>) -> Values<Double> {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range is in the pool")
    // The memory lives as long as this object, which the values hold.
    return unsafe Values(borrowing: base + range.lowerBound, count: range.count, from: self)
  }
}

/// Memory for the numbers of a document that is being read; becomes a `NumberPool`.
///
/// Its capacity is an upper bound counted from the text before; pages never written cost no memory.
@safe struct NumberBuffer: ~Copyable {
  private let base: UnsafeMutablePointer<Double>
  private let capacity: Int
  /// How many numbers are in it.
  private(set) var count = 0

  /// Asks for room for `capacity` numbers.
  init(capacity: Int) {
    self.capacity = max(capacity, 1)
    unsafe base = .allocate(capacity: max(capacity, 1))
  }

  deinit { unsafe base.deallocate() }

  /// Adds a number behind the last one.
  mutating func append(_ number: Double) {
    precondition(count < capacity, "the upper bound was counted before")
    unsafe (base + count).initialize(to: number)
    count += 1
  }

  /// Ends the reading: the numbers will not change again.
  consuming func finish() -> NumberPool {
    let pool = unsafe NumberPool(owning: base, count: count)
    discard self
    return pool
  }
}

/// Numbers that stay in memory, unchanged, as long as this object: allocated here, or borrowed from `owner`.
///
/// A mapped file lends its bytes without a copy; the engine sees a `Span` either way.
@safe package final class Values<T: Scalar>: @unchecked Sendable {
  // Sendable: the memory is never written after the initialiser returns.
  private let base: UnsafePointer<T>
  private let allocated: Bool
  private let owner: AnyObject?

  /// How many numbers there are.
  package let count: Int

  /// Allocates `count` numbers and fills them with `fill`, which receives zeros.
  package init<E: Error>(count: Int, fill: (inout MutableSpan<T>) throws(E) -> Void) throws(E) {
    precondition(count >= 0, "a count is not negative")
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<T>.stride, alignment: 64)
    let memory = unsafe raw.bindMemory(to: T.self, capacity: max(count, 1))
    unsafe memory.initialize(repeating: 0, count: count)
    unsafe base = UnsafePointer(memory)
    allocated = true
    owner = nil
    self.count = count
    var span = unsafe MutableSpan(_unsafeStart: memory, count: count)
    try fill(&span)
  }

  /// Copies the numbers of an array.
  package convenience init(_ numbers: [T]) {
    self.init(count: numbers.count) { (span: inout MutableSpan<T>) in
      for i in span.indices { span[i] = numbers[i] }
    }
  }

  /// Borrows `count` numbers at `base`, which must stay readable and unchanged as long as `owner` lives.
  @unsafe package init(borrowing base: UnsafePointer<T>, count: Int, from owner: AnyObject) {
    unsafe self.base = unsafe base
    self.count = count
    self.owner = owner
    allocated = false
  }

  deinit {
    if allocated { unsafe UnsafeMutablePointer(mutating: base).deallocate() }
  }

  /// The numbers, row by row.
  package var span: Span<T> {
    @_lifetime(borrow self)
    borrowing get {
      let span = unsafe Span(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}

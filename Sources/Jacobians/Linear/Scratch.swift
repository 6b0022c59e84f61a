/// A named range of a thread's scratch memory, counted in numbers.
package struct Region: Hashable, Sendable {
  /// What it holds, as `a2` or `delta1`.
  package let name: String
  /// Where it begins.
  package let offset: Int
  /// How many numbers it has.
  package let count: Int

  /// Where it ends.
  package var end: Int { offset + count }
}

/// Lays regions one after another, each beginning at a multiple of 64 bytes; all sums are checked.
package struct ScratchLayout: Sendable {
  /// Numbers laid out so far.
  package private(set) var count = 0
  /// Whether a size did not fit 63 bits; the layout must not be used then.
  package private(set) var hasOverflowed = false

  /// An empty layout.
  package init() {}

  /// The next region of rows × columns numbers.
  package mutating func add(_ name: String, rows: Int, columns: Int) -> Region {
    let (size, overflow) = rows.multipliedReportingOverflow(by: columns)
    // 16 numbers are 64 bytes of float32 and 128 of float64.
    let (end, pastEnd) = count.addingReportingOverflow(size)
    let (padded, pastPad) = end.addingReportingOverflow(15)
    guard !overflow, !pastEnd, !pastPad, !hasOverflowed else {
      hasOverflowed = true
      return Region(name: name, offset: 0, count: 0)
    }
    let region = Region(name: name, offset: count, count: size)
    count = padded & ~15
    return region
  }
}

/// The memory one thread of a job computes in: allocated once, 64-byte aligned, reused for every block.
///
/// Reading gives spans; writing one region while reading others goes through `update`, which insists that
/// they are apart.
@safe package struct Scratch<T: Scalar>: ~Copyable {
  private let base: UnsafeMutablePointer<T>
  private let byteCount: Int
  /// How many numbers it holds.
  package let count: Int

  /// Allocates `count` zeros.
  package init(count: Int) {
    precondition(count >= 0, "a count is not negative")
    let raw = unsafe ScratchPool.shared.allocate(byteCount: max(count, 1) * MemoryLayout<T>.stride)
    unsafe byteCount = raw.byteCount
    unsafe base = unsafe raw.memory.initializeMemory(as: T.self, repeating: 0, count: max(count, 1))
    self.count = count
  }

  deinit { unsafe ScratchPool.shared.deallocate(base, byteCount: byteCount) }

  /// The numbers of a region.
  @_lifetime(borrow self)
  package borrowing func numbers(_ region: Region) -> Span<T> {
    precondition(region.end <= count, "a region lies inside its scratch")
    let span = unsafe Span(_unsafeStart: base + region.offset, count: region.count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// Writes one region.
  package mutating func update(_ region: Region, _ body: (inout MutableSpan<T>) -> Void) {
    precondition(region.end <= count, "a region lies inside its scratch")
    var span = unsafe MutableSpan(_unsafeStart: base + region.offset, count: region.count)
    body(&span)
  }

  /// Writes one region while reading another.
  package mutating func update<R>(
    _ region: Region, reading source: Region, _ body: (inout MutableSpan<T>, Span<T>) -> R
  ) -> R {
    precondition(max(region.end, source.end) <= count, "a region lies inside its scratch")
    precondition(
      region.end <= source.offset || source.end <= region.offset, "a region read is not written")
    var span = unsafe MutableSpan(_unsafeStart: base + region.offset, count: region.count)
    let read = unsafe Span(_unsafeStart: base + source.offset, count: source.count)
    return body(&span, read)
  }

  /// Writes two regions at once.
  package mutating func update(
    _ first: Region, _ second: Region,
    _ body: (inout MutableSpan<T>, inout MutableSpan<T>) -> Void
  ) {
    precondition(max(first.end, second.end) <= count, "a region lies inside its scratch")
    precondition(
      first.end <= second.offset || second.end <= first.offset, "two regions written are apart")
    var one = unsafe MutableSpan(_unsafeStart: base + first.offset, count: first.count)
    var other = unsafe MutableSpan(_unsafeStart: base + second.offset, count: second.count)
    body(&one, &other)
  }

  /// Reads the numbers before `boundary` while writing those from it on.
  package mutating func divide<R>(
    at boundary: Int, _ body: (Span<T>, consuming MutableSpan<T>) throws -> R
  ) rethrows -> R {
    precondition(0 <= boundary && boundary <= count, "the boundary lies inside the scratch")
    let lower = unsafe Span(_unsafeStart: base, count: boundary)
    let upper = unsafe MutableSpan(_unsafeStart: base + boundary, count: count - boundary)
    return try body(lower, upper)
  }
}

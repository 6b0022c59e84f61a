/// Memory that a sequence is computed in, allocated once; threads that share it write regions that are apart.
///
/// Nothing is read before it was written, so it is not cleared.
@safe final class Workspace<T: Scalar>: @unchecked Sendable {
  // Sendable: which thread writes which region is settled by the passes; no two write the same one.
  private let base: UnsafeMutablePointer<T>
  private let byteCount: Int
  /// How many numbers it holds.
  let count: Int

  /// Allocates room for `count` numbers.
  init(count: Int) {
    precondition(count >= 0, "a count is not negative")
    self.count = count
    let raw = unsafe ScratchPool.shared.allocate(byteCount: max(count, 1) * MemoryLayout<T>.stride)
    unsafe byteCount = raw.byteCount
    // T is trivial: memory bound to it needs no initialisation before it is assigned to.
    unsafe base = raw.memory.bindMemory(to: T.self, capacity: max(count, 1))
  }

  deinit { unsafe ScratchPool.shared.deallocate(base, byteCount: byteCount) }

  /// Everything.
  var all: Region { Region(name: "all", offset: 0, count: count) }

  /// The numbers of a region, which nobody writes meanwhile.
  @_lifetime(borrow self)
  @inline(__always)
  func numbers(_ region: Region) -> Span<T> {
    precondition(region.offset >= 0 && region.end <= count, "a region lies inside its workspace")
    let span = unsafe Span(_unsafeStart: base + region.offset, count: region.count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The numbers of a region that the caller alone reads and writes.
  @_lifetime(borrow self)
  @inline(__always)
  func mutable(_ region: Region) -> MutableSpan<T> {
    precondition(region.offset >= 0 && region.end <= count, "a region lies inside its workspace")
    let span = unsafe MutableSpan(_unsafeStart: base + region.offset, count: region.count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}

extension Region {
  /// Some rows of this region, each of `width` numbers.
  @inline(__always)
  func rows(_ rows: Range<Int>, width: Int) -> Region {
    Region(name: name, offset: offset + rows.lowerBound * width, count: rows.count * width)
  }

  /// A part of this region.
  @inline(__always)
  func part(_ range: Range<Int>) -> Region {
    Region(name: name, offset: offset + range.lowerBound, count: range.count)
  }

  /// No numbers.
  static let none = Region(name: "", offset: 0, count: 0)
}

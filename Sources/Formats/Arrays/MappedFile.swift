import Glibc
package import Jacobians

/// The bytes of a whole file, mapped for reading as long as this object lives; its arrays are lent without a copy.
///
/// A file that is cut short while it is mapped ends the process (SIGBUS), so only a worker maps, never the daemon.
@safe package final class MappedFile: @unchecked Sendable {
  // Sendable: the memory is never written.
  private let base: UnsafeRawPointer
  private let isMapped: Bool

  /// How many bytes there are.
  package let count: Int

  /// mmap(2), private and for reading.
  init(_ descriptor: borrowing Descriptor, size: Int) throws(SystemError) {
    count = size
    guard size > 0 else {
      unsafe base = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 64))
      isMapped = false
      return
    }
    let number = descriptor.number
    // A failed mmap(2) gives MAP_FAILED, all bits set, which is −1 as a number.
    let address = try SystemCall.retrying("map", descriptor.path) {
      unsafe Int(bitPattern: mmap(nil, size, PROT_READ, MAP_PRIVATE, number, 0))
    }
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else {
      throw SystemError(call: "map", object: descriptor.path, code: EFAULT)
    }
    unsafe base = unsafe pointer
    isMapped = true
  }

  /// Copies bytes of memory, aligned as a mapped file is.
  init(copying bytes: [UInt8]) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
    unsafe memory.copyMemory(from: bytes, byteCount: bytes.count)
    unsafe base = UnsafeRawPointer(memory)
    isMapped = false
    count = bytes.count
  }

  deinit {
    if isMapped {
      unsafe munmap(UnsafeMutableRawPointer(mutating: base), count)
    } else {
      unsafe base.deallocate()
    }
  }

  /// The bytes.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let span = unsafe RawSpan(_unsafeStart: base, byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Lends `count` numbers at `offset`, or nil where they do not stand at a multiple of their size.
  package func values<T: Scalar>(_ type: T.Type, at offset: Int, count: Int) -> Values<T>? {
    precondition(
      offset >= 0 && count >= 0 && count <= (self.count - offset) / MemoryLayout<T>.stride,
      "the numbers are in the file")
    let start = unsafe base + offset
    guard Int(bitPattern: start) % MemoryLayout<T>.alignment == 0 else { return nil }
    // The memory lives as long as this object, which the values hold, and holds numbers for any bits.
    return unsafe Values(
      borrowing: start.assumingMemoryBound(to: T.self), count: count, from: self)
  }
}

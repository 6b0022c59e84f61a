import Testing

@testable import Jacobians

/// Memory is kept between computations, within bounds.
@Suite struct ScratchPoolTests {
  private let size = 8 << 20

  @Test func `memory given back is taken again for a like size`() {
    let pool = ScratchPool()
    let first = unsafe pool.allocate(byteCount: size)
    #expect(unsafe first.byteCount == size && Int(bitPattern: first.memory) % 64 == 0)
    unsafe pool.deallocate(first.memory, byteCount: first.byteCount)
    let again = unsafe pool.allocate(byteCount: size / 2 + 1)
    #expect(unsafe again.memory == first.memory && again.byteCount == size)
    unsafe pool.deallocate(again.memory, byteCount: again.byteCount)
  }

  @Test func `memory of twice the size is given up instead of being taken`() {
    let pool = ScratchPool()
    let first = unsafe pool.allocate(byteCount: size)
    unsafe pool.deallocate(first.memory, byteCount: first.byteCount)
    let half = unsafe pool.allocate(byteCount: size / 2)
    #expect(unsafe half.byteCount == size / 2, "a plan counts what it asks for")
    #expect(pool.keptBytes == 0)
    unsafe pool.deallocate(half.memory, byteCount: half.byteCount)
    #expect(pool.keptBytes == size / 2)
  }

  @Test func `no more than the bound is kept, and no small piece`() {
    let pool = ScratchPool()
    for byteCount in [ScratchPool.mostKept + 1, 4096] {
      let piece = unsafe pool.allocate(byteCount: byteCount)
      unsafe pool.deallocate(piece.memory, byteCount: piece.byteCount)
      #expect(pool.keptBytes == 0, "\(byteCount) bytes")
    }
  }
}

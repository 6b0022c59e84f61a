import Jacobians
import Testing

/// A thread's memory: where regions lie, and that none is read while it is written.
@Suite struct ScratchTests {
  @Test func `regions follow one another at multiples of 64 bytes`() {
    var layout = ScratchLayout()
    let a = layout.add("a", rows: 3, columns: 5)
    let b = layout.add("b", rows: 0, columns: 9)
    let c = layout.add("c", rows: 16, columns: 1)
    let d = layout.add("d", rows: 1, columns: 1)
    #expect([a.offset, b.offset, c.offset, d.offset] == [0, 16, 16, 32])
    #expect([a.count, b.count, c.count, d.count] == [15, 0, 16, 1])
    #expect(layout.count == 48)
    #expect(!layout.hasOverflowed)
  }

  @Test(arguments: [(Int.max, 2), (Int.max, 1), (1 << 32, 1 << 31)])
  func `a size that leaves 63 bits is remembered`(_ rows: Int, _ columns: Int) {
    var layout = ScratchLayout()
    _ = layout.add("first", rows: 1, columns: 1)
    _ = layout.add("huge", rows: rows, columns: columns)
    _ = layout.add("after", rows: 1, columns: 1)
    #expect(layout.hasOverflowed)
  }

  @Test func `what is written in one region is read from it alone`() {
    var layout = ScratchLayout()
    let a = layout.add("a", rows: 2, columns: 2)
    let b = layout.add("b", rows: 2, columns: 2)
    var scratch = Scratch<Float>(count: layout.count)
    scratch.update(a) { for i in $0.indices { $0[i] = Float(i + 1) } }
    scratch.update(b, reading: a) { to, from in
      for i in to.indices { to[i] = 10 * from[i] }
    }
    let sum = scratch.divide(at: b.offset) { lower, upper in
      #expect(lower.count == 16 && upper.count == 16)
      return lower[3] + upper[3]
    }
    #expect(sum == 44)
    #expect(scratch.numbers(a)[0] == 1 && scratch.numbers(b)[0] == 10)
  }

  @Test func `a region is not written while it is read`() async {
    await #expect(processExitsWith: .failure) {
      var layout = ScratchLayout()
      let a = layout.add("a", rows: 2, columns: 2)
      var scratch = Scratch<Double>(count: layout.count)
      scratch.update(a, reading: a) { _, _ in }
    }
    await #expect(processExitsWith: .failure) {
      var layout = ScratchLayout()
      let a = layout.add("a", rows: 2, columns: 20)
      var scratch = Scratch<Double>(count: 16)
      scratch.update(a) { _ in }
    }
  }
}

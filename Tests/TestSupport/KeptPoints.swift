package import Jacobians
import Synchronization

/// Keeps progress as often as a computation offers it, with what the sink has then.
package final class KeptPoints<T: Scalar>: ProgressKeeper {
  /// What was kept once.
  package struct Point: Sendable, EarlierResults, CustomStringConvertible {
    package let blocks: ComputedBlocks
    let sums: [UInt8]
    let state: [UInt8]
    let arrays: [[T]]

    package var description: String {
      let begun = blocks.begun.map { ", part \($0.part) at \($0.units)" }
      return "\(blocks.blocks) blocks\(begun ?? "")"
    }

    /// What another computation begins with.
    package var before: ComputedBefore {
      ComputedBefore(blocks: blocks, sums: sums, results: self)
    }

    package func read(array: Int, at offset: Int, byteCount: Int) throws -> [UInt8] {
      let size = MemoryLayout<T>.stride
      let numbers = arrays[array][offset / size..<(offset + byteCount) / size]
      return unsafe Array(numbers).withUnsafeBytes { unsafe Array($0) }
    }

    package func readState(at offset: Int, byteCount: Int) throws -> [UInt8] {
      Array(state[offset..<offset + byteCount])
    }

    /// Gives a sink what stands for good of each array.
    package func fill(_ sink: MemorySink<T>, with finished: [[Range<Int>]]) throws {
      for (array, ranges) in finished.enumerated() {
        for range in ranges where !range.isEmpty {
          let numbers = Array(arrays[array][range])
          try sink.write(
            unsafe numbers.span.bytes, array: array,
            at: range.lowerBound * MemoryLayout<T>.stride)
        }
      }
    }
  }

  private let sink: MemorySink<T>
  private let kept = Mutex<[Point]>([])

  package let isDue: Bool

  /// Watches a computation that writes to `sink`; if not `isDue`, keeps only what a cancellation leaves.
  package init(_ sink: MemorySink<T>, isDue: Bool = true) {
    self.sink = sink
    self.isDue = isDue
  }

  package var isDueAtCancellation: Bool { true }

  package func keep(
    _ blocks: ComputedBlocks, sums: ByteParts, state: ByteParts
  ) throws {
    func bytes(_ parts: ByteParts) throws -> [UInt8] {
      var all: [UInt8] = []
      try parts { span in unsafe span.withUnsafeBytes { unsafe all.append(contentsOf: $0) } }
      return all
    }
    let point = Point(
      blocks: blocks, sums: try bytes(sums), state: try bytes(state), arrays: sink.arrays)
    kept.withLock { $0.append(point) }
  }

  /// What was kept, in order.
  package var points: [Point] { kept.withLock { $0 } }
}

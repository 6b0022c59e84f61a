package import Jacobians
import Synchronization

/// Keeps results in memory, and which ranges were written.
package final class MemorySink<T: Scalar>: ResultSink {
  private struct Contents {
    var arrays: [[T]]
    var ranges: [[Range<Int>]]
  }
  private let contents: Mutex<Contents>

  /// Room for all arrays of a plan.
  package convenience init(_ plan: Plan) { self.init(plan.arrays) }

  /// Room for some arrays.
  package init(_ arrays: [ResultArray]) {
    contents = Mutex(
      Contents(
        arrays: arrays.map { [T](repeating: .nan, count: $0.count) }, ranges: arrays.map { _ in [] }
      ))
  }

  package func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    let stride = MemoryLayout<T>.stride
    precondition(offset % stride == 0 && bytes.byteCount % stride == 0, "whole numbers")
    contents.withLock { contents in
      unsafe contents.arrays[array].withUnsafeMutableBytes { room in
        unsafe bytes.withUnsafeBytes { source in
          unsafe UnsafeMutableRawBufferPointer(
            rebasing: room[offset..<offset + source.count]
          ).copyMemory(from: source)
        }
      }
      contents.ranges[array].append(offset / stride..<(offset + bytes.byteCount) / stride)
    }
  }

  /// The arrays in the plan's order.
  package var arrays: [[T]] { contents.withLock { $0.arrays } }

  /// Whether every number was written exactly once.
  package var isWrittenOnce: Bool {
    contents.withLock { contents in
      zip(contents.arrays, contents.ranges).allSatisfy { array, ranges in
        var end = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
          guard range.lowerBound == end else { return false }
          end = range.upperBound
        }
        return end == array.count
      }
    }
  }
}

/// Watches nothing and never cancels.
package struct QuietMonitor: ComputationMonitor {
  package init() {}
  package func finished(blocks: Int, of total: Int) {}
  package var isCancelled: Bool { false }
}

/// Cancels once so many blocks are finished.
package final class CancelledAfter: ComputationMonitor {
  private let most: Int
  private let seen = Atomic(0)

  package init(blocks: Int) { most = blocks }

  package func finished(blocks: Int, of total: Int) { seen.max(blocks, ordering: .relaxed) }
  package var isCancelled: Bool { seen.load(ordering: .relaxed) >= most }
}

package import Jacobians
import Synchronization

/// Keeps results in memory, and how often each byte was written.
package final class MemorySink<T: Scalar>: ResultSink {
  private struct Contents {
    var arrays: [[T]]
    var writes: [[UInt8]]
  }
  private let contents: Mutex<Contents>

  /// Room for all arrays of a plan.
  package init(_ plan: Plan) {
    contents = Mutex(
      Contents(
        arrays: plan.arrays.map { [T](repeating: .nan, count: $0.count) },
        writes: plan.arrays.map { [UInt8](repeating: 0, count: $0.count) }))
  }

  package func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    let stride = MemoryLayout<T>.stride
    precondition(offset % stride == 0 && bytes.byteCount % stride == 0, "whole numbers")
    contents.withLock { contents in
      for i in 0..<bytes.byteCount / stride {
        contents.arrays[array][offset / stride + i] = unsafe bytes.unsafeLoadUnaligned(
          fromByteOffset: i * stride, as: T.self)
        contents.writes[array][offset / stride + i] += 1
      }
    }
  }

  /// The arrays in the plan's order.
  package var arrays: [[T]] { contents.withLock { $0.arrays } }

  /// Whether every number was written exactly once.
  package var isWrittenOnce: Bool {
    contents.withLock { $0.writes.allSatisfy { $0.allSatisfy { $0 == 1 } } }
  }
}

/// Watches nothing and never cancels.
package struct QuietMonitor: ComputationMonitor {
  package init() {}
  package func finished(blocks: Int, of total: Int) {}
  package var isCancelled: Bool { false }
}

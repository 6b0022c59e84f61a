import Synchronization

/// Keeps results in memory.
final class KeptResults<T: Scalar>: ResultSink {
  private let contents: Mutex<[[T]]>

  init(_ arrays: [ResultArray]) {
    contents = Mutex(arrays.map { [T](repeating: .nan, count: $0.count) })
  }

  var arrays: [[T]] { contents.withLock { $0 } }

  /// All of them, widened.
  var widened: [[Double]] { arrays.map { $0.map { Double($0) } } }

  func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    contents.withLock { arrays in
      unsafe arrays[array].withUnsafeMutableBytes { room in
        unsafe bytes.withUnsafeBytes { source in
          unsafe UnsafeMutableRawBufferPointer(
            rebasing: room[offset..<offset + source.count]
          ).copyMemory(from: source)
        }
      }
    }
  }
}

/// Nobody who is told or cancels.
struct NoMonitor: ComputationMonitor {
  func finished(blocks: Int, of total: Int) {}
  var isCancelled: Bool { false }
}

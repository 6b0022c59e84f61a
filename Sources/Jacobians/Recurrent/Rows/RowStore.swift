import Synchronization

/// Takes rows of ∂y(n)/∂w that a `JacobianPass` writes, and keeps those of one round in a workspace.
final class RowStore<T: Scalar>: ResultSink {
  private let workspace: Workspace<T>
  private let region: Region
  private let columns: Int
  /// The number of the row, counted over all sequences, that stands first.
  private let first = Atomic(0)

  init(_ region: Region, columns: Int, in workspace: Workspace<T>) {
    self.workspace = workspace
    self.region = region
    self.columns = columns
  }

  /// From now on `row` and those behind it are taken.
  func begin(at row: Int) { first.store(row, ordering: .relaxed) }

  func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    let size = MemoryLayout<T>.stride
    let start = offset / size - first.load(ordering: .relaxed) * columns
    let count = bytes.byteCount / size
    precondition(start >= 0 && start + count <= region.count, "a row of this round")
    // The pass writes each number once: no two threads write the same place.
    let workspace = workspace
    var place = workspace.mutable(region.part(start..<start + count))
    unsafe place.withUnsafeMutableBufferPointer { target in
      unsafe bytes.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
      }
    }
  }
}

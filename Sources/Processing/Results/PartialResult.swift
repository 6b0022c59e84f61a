package import Formats
import Glibc
package import Jacobians
import Synchronization

/// A result folder under construction: every array's file reserved on disk, blocks written at their own offsets.
///
/// The folder is `.partial-<id>-<attempt>` until it is published; whoever fails removes it.
package final class PartialResult: ResultSink {
  /// Where the folder is.
  package let folder: String
  private let files: [ArrayFile]
  private let subfolders: [String]
  private let written = Atomic<Int>(0)

  /// Makes the folder and, for every array, a `.npy` file of its final size with its header.
  package init(folder: String, arrays: [ResultArray], dtype: ScalarType) throws(SystemError) {
    self.folder = folder
    FolderTree.remove(folder)
    try FolderTree.make(folder)
    var subfolders: [String] = []
    var files: [ArrayFile] = []
    for array in arrays {
      let path = "\(folder)/\(array.path).npy"
      if let slash = array.path.lastIndex(of: "/") {
        let subfolder = "\(folder)/\(array.path[..<slash])"
        if !subfolders.contains(subfolder) {
          try FolderTree.make(subfolder)
          subfolders.append(subfolder)
        }
      }
      files.append(try ArrayFile(path: path, array: array, dtype: dtype))
    }
    self.files = files
    self.subfolders = subfolders
  }

  /// How many bytes of results are written so far, headers left out.
  package var bytesWritten: Int { written.load(ordering: .relaxed) }

  /// Writes a block of an array where it belongs.
  package func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    let file = files[array]
    try file.descriptor.write(bytes, at: file.headerBytes + offset)
    written.add(bytes.byteCount, ordering: .relaxed)
  }

  /// Adds a small file beside the arrays, as the manifest.
  package func add(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
    try FolderTree.write(bytes, to: "\(folder)/\(name)")
  }

  /// Puts every array and folder on disk, so that the whole survives a power cut once it is published.
  ///
  /// One syncfs(2) costs as much as two fsyncs and a small result has ten files and more; but it waits for
  /// whatever anybody wrote to the file system, so it is used only while that is little.
  package func synchronize() throws(SystemError) {
    if files.count > 1 && DirtyMemory.bytes < 16 << 20 {
      return try Descriptor.synchronizeFileSystem(of: folder)
    }
    for file in files { try file.descriptor.synchronize() }
    for subfolder in subfolders { try Descriptor.synchronizeFolder(subfolder) }
    try Descriptor.synchronizeFolder(folder)
  }

  /// Removes the folder: nothing half-done stays.
  package func discard() { FolderTree.remove(folder) }
}

/// One array's file, opened for the whole computation.
private final class ArrayFile: Sendable {
  let descriptor: Descriptor
  let headerBytes: Int

  init(path: String, array: ResultArray, dtype: ScalarType) throws(SystemError) {
    let header = NPYHeader(shape: array.shape, type: dtype).bytes
    descriptor = try Descriptor(
      opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
    headerBytes = header.count
    try descriptor.reserve(bytes: header.count + array.count * dtype.byteCount)
    try descriptor.write(header, at: 0)
  }
}

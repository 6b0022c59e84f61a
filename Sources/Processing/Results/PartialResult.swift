package import Formats
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
  private let writeBack: Mutex<WriteBack>

  /// Makes the folder and, for every array, a `.npy` file of its final size with its header.
  package convenience init(
    folder: String, arrays: [ResultArray], dtype: ScalarType
  ) throws(SystemError) {
    try self.init(folder: folder, arrays: arrays, dtype: dtype) { WriteBack(files: $0) }
  }

  /// … with a write-back that is told the sizes of the files.
  init(
    folder: String, arrays: [ResultArray], dtype: ScalarType,
    writeBack: (_ files: [Int]) -> WriteBack
  ) throws(SystemError) {
    self.folder = folder
    FolderTree.remove(folder)
    do throws(SystemError) {
      subfolders = try Self.makeFolders(folder, for: arrays)
      files = try arrays.map { array throws(SystemError) in
        try ArrayFile(path: "\(folder)/\(array.path).npy", array: array, dtype: dtype)
      }
    } catch {
      // A disk that was full midway has room again.
      FolderTree.remove(folder)
      throw error
    }
    var expected = writeBack(files.map(\.byteCount))
    for (number, file) in files.enumerated() {
      try Self.follow(expected.add(0..<file.headerBytes, of: number), files)
    }
    self.writeBack = Mutex(expected)
  }

  private static func makeFolders(
    _ folder: String, for arrays: [ResultArray]
  ) throws(SystemError) -> [String] {
    try FolderTree.make(folder)
    var subfolders: [String] = []
    for array in arrays {
      guard let slash = array.path.lastIndex(of: "/") else { continue }
      let subfolder = "\(folder)/\(array.path[..<slash])"
      if !subfolders.contains(subfolder) {
        try FolderTree.make(subfolder)
        subfolders.append(subfolder)
      }
    }
    return subfolders
  }

  /// How many bytes of results are written so far, headers left out.
  package var bytesWritten: Int { written.load(ordering: .relaxed) }

  /// Writes a block of an array where it belongs, and sends what it completes on its way to the disk.
  package func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    let file = files[array]
    let start = file.headerBytes + offset
    try file.descriptor.write(bytes, at: start)
    written.add(bytes.byteCount, ordering: .relaxed)
    let steps = writeBack.withLock { $0.add(start..<start + bytes.byteCount, of: array) }
    try Self.follow(steps, files)
  }

  private static func follow(
    _ steps: [WriteBack.Step], _ files: [ArrayFile]
  ) throws(SystemError) {
    for step in steps {
      switch step {
      case .begin(let window): try files[window.file].descriptor.beginWriteBack(of: window.range)
      case .finish(let window): try files[window.file].descriptor.finishWriteBack(of: window.range)
      }
    }
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
      return try files[0].descriptor.synchronizeFileSystem()
    }
    for file in files { try file.descriptor.synchronize() }
    for subfolder in subfolders { try Descriptor.synchronizeFolder(subfolder) }
    try Descriptor.synchronizeFolder(folder)
  }

  /// Removes the folder: nothing half-done stays.
  package func discard() { FolderTree.remove(folder) }
}

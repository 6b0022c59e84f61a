package import Formats
package import Jacobians
import Synchronization

/// A result folder under construction: every array's file reserved on disk, blocks written at their own offsets.
///
/// The folder is `.partial-<id>-<attempt>` until it is published; whoever fails removes it.
package final class PartialResult: ResultSink {
  /// Where the folder is.
  package let folder: String
  let files: [ArrayFile]
  private let subfolders: [String]
  private let written: Atomic<Int>
  private let progress: Mutex<Progress>

  /// What became of the files' bytes so far.
  private struct Progress {
    var writeBack: WriteBack
    var digests: DigestTree
  }

  /// Makes the folder and, for every array, a `.npy` file of its final size with its header.
  ///
  /// `readers` may read it besides its owner; nil leaves that to the folders' modes.
  package convenience init(
    folder: String, arrays: [ResultArray], dtype: ScalarType, readers: AccessList? = nil
  ) throws(SystemError) {
    try self.init(folder: folder, arrays: arrays, dtype: dtype, readers: readers) {
      WriteBack(files: $0)
    }
  }

  /// … with a write-back that is told the sizes of the files.
  init(
    folder: String, arrays: [ResultArray], dtype: ScalarType, readers: AccessList? = nil,
    writeBack: (_ files: [Int]) -> WriteBack
  ) throws(SystemError) {
    self.folder = folder
    written = Atomic(0)
    FolderTree.remove(folder)
    do throws(SystemError) {
      subfolders = try Self.makeFolders(folder, for: arrays, readers)
      files = try arrays.map { array throws(SystemError) in
        try ArrayFile(path: "\(folder)/\(array.path).npy", array: array, dtype: dtype)
      }
    } catch {
      // A disk that was full midway has room again.
      FolderTree.remove(folder)
      throw error
    }
    let sizes = files.map(\.byteCount)
    progress = Mutex(Progress(writeBack: writeBack(sizes), digests: DigestTree(files: sizes)))
    do throws(SystemError) {
      for (number, file) in files.enumerated() {
        let header = file.header
        // Bytes as bytes: every bit pattern is a number, and none is missing.
        try put(unsafe header.span.bytes, file: number, at: 0)
      }
    } catch {
      FolderTree.remove(folder)
      throw error
    }
  }

  /// Takes over a folder in which an earlier attempt kept what `done` says; throws if it is not there as it was.
  ///
  /// What was kept is compared with its digests: only the edges of what is done if `isTrusted`, since what a process wrote
  /// outlives it, and everything if the machine was started anew since.
  init(
    adopting folder: String, arrays: [ResultArray], dtype: ScalarType,
    done: [ProgressRecord.ArrayProgress], isTrusted: Bool
  ) throws(JobError) {
    self.folder = folder
    subfolders = Self.subfolders(of: folder, for: arrays)
    let files = try arrays.map { array throws(JobError) in
      try ArrayFile(adopting: "\(folder)/\(array.path).npy", array: array, dtype: dtype)
    }
    self.files = files
    let sizes = files.map(\.byteCount)
    var progress = Progress(writeBack: WriteBack(files: sizes), digests: DigestTree(files: sizes))
    var bytes = 0
    for (number, (file, done)) in zip(files, done).enumerated() {
      for run in done.runs {
        let run = try file.check(run, isTrusted: isTrusted)
        progress.writeBack.skip(run.bytes, of: number)
        progress.digests.adopt(
          windows: run.digests, from: run.windows.lowerBound, of: number)
        for (start, edge) in run.edges {
          // Bytes as bytes: every bit pattern is a number, and none is missing.
          let whole = file.digests(of: unsafe edge.span.bytes, at: start)
          let complete = progress.digests.add(
            start..<start + edge.count, of: number, whole: whole)
          precondition(complete.isEmpty, "an edge has no piece that is complete and not whole")
        }
        bytes += run.bytes.count
      }
      bytes -= file.headerBytes
    }
    // The attempt may have gone after its last block, with its manifest written.
    FolderTree.remove("\(folder)/manifest.json")
    written = Atomic(bytes)
    self.progress = Mutex(progress)
  }

  private static func makeFolders(
    _ folder: String, for arrays: [ResultArray], _ readers: AccessList?
  ) throws(SystemError) -> [String] {
    try FolderTree.make(folder)
    // Before anything is in it: all that is made there begins with the list.
    try readers?.apply(toFolder: folder)
    let subfolders = subfolders(of: folder, for: arrays)
    for subfolder in subfolders { try FolderTree.make(subfolder) }
    return subfolders
  }

  private static func subfolders(of folder: String, for arrays: [ResultArray]) -> [String] {
    var subfolders: [String] = []
    for array in arrays {
      guard let slash = array.path.lastIndex(of: "/") else { continue }
      let subfolder = "\(folder)/\(array.path[..<slash])"
      if !subfolders.contains(subfolder) { subfolders.append(subfolder) }
    }
    return subfolders
  }

  /// How many bytes of results are written so far, headers left out.
  package var bytesWritten: Int { written.load(ordering: .relaxed) }

  /// Writes a block of an array where it belongs, and sends what it completes on its way to the disk.
  package func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    try put(bytes, file: array, at: files[array].headerBytes + offset)
    written.add(bytes.byteCount, ordering: .relaxed)
  }

  /// Reads back what an earlier attempt has written.
  func read(array: Int, at offset: Int, byteCount: Int) throws(SystemError) -> [UInt8] {
    let file = files[array]
    return try file.descriptor.read(count: byteCount, at: file.headerBytes + offset)
  }

  /// The digest of each array's file; an array of which something was never written is an error.
  package func digests() throws(JobError) -> [ArrayDigest] {
    let digests = progress.withLock { $0.digests.digests }
    return try zip(files, digests).map { file, digest throws(JobError) in
      guard let digest else {
        throw JobError(
          .fault, "cannot complete \(file.descriptor.path): a part of it was never written")
      }
      return digest
    }
  }

  private func put(_ bytes: RawSpan, file number: Int, at start: Int) throws(SystemError) {
    let file = files[number]
    // First the digests, while the bytes are in the nearest cache.
    let whole = file.digests(of: bytes, at: start)
    try file.descriptor.write(bytes, at: start)
    let range = start..<start + bytes.byteCount
    let (steps, shared) = progress.withLock {
      ($0.writeBack.add(range, of: number), $0.digests.add(range, of: number, whole: whole))
    }
    for piece in shared {
      let digest = try file.digest(of: piece.range)
      progress.withLock { $0.digests.set(digest, of: piece) }
    }
    try follow(steps)
  }

  private func follow(_ steps: [WriteBack.Step]) throws(SystemError) {
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
    try synchronizeFiles()
  }

  /// fsyncs every array and folder.
  func synchronizeFiles() throws(SystemError) {
    for file in files { try file.descriptor.synchronize() }
    for subfolder in subfolders { try Descriptor.synchronizeFolder(subfolder) }
    try Descriptor.synchronizeFolder(folder)
  }

  /// What a record says of the arrays when these numbers of each are done.
  func done(_ numbers: [[Range<Int>]]) throws(SystemError) -> [ProgressRecord.ArrayProgress] {
    try zip(files, numbers).enumerated().map { number, done throws(SystemError) in
      let (file, runs) = done
      return ProgressRecord.ArrayProgress(
        runs: try runs.map { run throws(SystemError) in
          try file.run(run) { windows in
            progress.withLock { $0.digests.windows(windows, of: number) }
          }
        })
    }
  }

  /// Removes the folder: nothing half-done stays.
  package func discard() { FolderTree.remove(folder) }
}

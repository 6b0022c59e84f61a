import Glibc

/// A file that arrays are read from: opened once, a regular file, and refused when it changes under us.
package final class SourceFile: Sendable {
  /// The file as the user named it.
  package let path: String
  /// Its size in bytes when it was opened.
  package let size: Int
  private let content: Content
  private let modified: Int

  private enum Content: ~Copyable, Sendable {
    case file(Descriptor)
    case memory([UInt8])
  }

  /// Opens a file for reading.
  package convenience init(opening path: String) throws(FormatError) {
    do throws(SystemError) {
      // O_NONBLOCK: a FIFO without a writer must not stop us; it is refused below.
      try self.init(owning: Descriptor(opening: path, O_RDONLY | O_NONBLOCK | O_NOCTTY))
    } catch {
      throw FormatError(file: path, cause: error)
    }
    try requireRegularFile()
  }

  /// Reads through a descriptor that stays its owner's.
  package convenience init(sharing descriptor: borrowing Descriptor) throws(FormatError) {
    let path = descriptor.path
    let number = descriptor.number
    do throws(SystemError) {
      let copy = try SystemCall.retrying("duplicate the descriptor of", path) {
        fcntl(number, F_DUPFD_CLOEXEC, 0)
      }
      try self.init(owning: Descriptor(owning: copy, path: path))
    } catch {
      throw FormatError(file: path, cause: error)
    }
    try requireRegularFile()
  }

  /// Bytes in memory in place of a file.
  package init(bytes: [UInt8], path: String) {
    self.path = path
    size = bytes.count
    modified = 0
    content = .memory(bytes)
  }

  private init(owning descriptor: consuming Descriptor) throws(SystemError) {
    let status = try descriptor.status()
    path = descriptor.path
    // A size below zero marks what is no regular file.
    size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : -1
    modified = SourceFile.nanoseconds(status)
    content = .file(descriptor)
  }

  private func requireRegularFile() throws(FormatError) {
    if size < 0 { throw FormatError(file: path, reason: "it is not a regular file") }
  }

  /// Exactly `count` bytes at `offset`, which the caller has checked to be in the file.
  package func read(count: Int, at offset: Int) throws(FormatError) -> [UInt8] {
    switch content {
    case .memory(let bytes): return Array(bytes[offset..<(offset + count)])
    case .file(let descriptor):
      let bytes: [UInt8]
      do throws(SystemError) {
        bytes = try descriptor.read(count: count, at: offset)
      } catch {
        throw FormatError(file: path, cause: error)
      }
      // Somebody is writing it anew: what it will be is not known yet.
      if bytes.count < count { throw changed(isIncomplete: true) }
      return bytes
    }
  }

  /// Throws when the file is not as it was when it was opened.
  package func checkUnchanged() throws(FormatError) {
    let status: stat
    switch content {
    case .memory: return
    case .file(let descriptor):
      do throws(SystemError) {
        status = try descriptor.status()
      } catch {
        throw FormatError(file: path, cause: error)
      }
    }
    guard status.st_size == size, SourceFile.nanoseconds(status) == modified else {
      throw changed(isIncomplete: false)
    }
  }

  /// Maps the whole file, or copies what is in memory.
  package func map() throws(FormatError) -> MappedFile {
    try checkUnchanged()
    switch content {
    case .memory(let bytes): return MappedFile(copying: bytes)
    case .file(let descriptor):
      do throws(SystemError) {
        return try MappedFile(descriptor, size: size)
      } catch {
        throw FormatError(file: path, cause: error)
      }
    }
  }

  /// Calls `body` with the descriptor, or with the bytes where there is none.
  func withContent<Result>(
    _ onFile: (borrowing Descriptor) throws(FormatError) -> Result,
    _ onMemory: ([UInt8]) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    switch content {
    case .file(let descriptor): try onFile(descriptor)
    case .memory(let bytes): try onMemory(bytes)
    }
  }

  private func changed(isIncomplete: Bool) -> FormatError {
    FormatError(
      file: path, reason: "it changed after it was examined",
      remedy: "leave it alone until the job has run", isIncomplete: isIncomplete)
  }

  private static func nanoseconds(_ status: stat) -> Int {
    Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
  }
}

extension FormatError {
  /// A system call on `file` failed.
  package init(file: String, cause: SystemError) {
    self.init(file: file, reason: cause.reason)
  }
}

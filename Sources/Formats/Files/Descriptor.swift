package import Glibc

/// An open file that is closed once, at the latest when its owner goes.
package struct Descriptor: ~Copyable, Sendable {
  /// The kernel's number.
  package private(set) var number: Int32
  /// What was opened, for messages.
  package let path: String

  /// Takes over an open descriptor.
  package init(owning number: Int32, path: String) {
    self.number = number
    self.path = path
  }

  /// open(2), close-on-exec always.
  package init(
    opening path: String, _ flags: Int32, mode: mode_t = 0o600
  ) throws(SystemError) {
    number = try SystemCall.retrying("open", path) {
      unsafe open(path, flags | O_CLOEXEC, mode)
    }
    self.path = path
  }

  deinit {
    if number >= 0 { _ = Glibc.close(number) }
  }

  /// fstat(2).
  package func status() throws(SystemError) -> stat {
    var status = stat()
    try SystemCall.retrying("stat", path) { unsafe fstat(number, &status) }
    return status
  }

  /// fsync(2); after a failure the pages count as lost, so nobody may try again.
  package func synchronize() throws(SystemError) {
    try SystemCall.retrying("fsync", path) { fsync(number) }
  }

  /// close(2), checked: some file systems report a failed write only here.
  package consuming func close() throws(SystemError) {
    let open = number
    number = -1
    // Linux releases the number even when close(2) is interrupted, so it is not repeated.
    guard Glibc.close(open) == 0 || errno == EINTR else {
      throw SystemError(call: "close", object: path, code: errno)
    }
  }

  /// Opens a folder, fsyncs it, closes it: makes renames in it last through a power cut.
  package static func synchronizeFolder(_ path: String) throws(SystemError) {
    let folder = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
    try folder.synchronize()
  }
}

import Formats
import Glibc
import Jacobians

/// What an attempt needs to go on within a sequence, in a file beside its record: `.state-<number>` in the partial folder.
///
/// It is on disk before a record names it, and goes once another record took that one's place; so the file that the record
/// in force names is always there and whole.
struct KeptState: Codable, Hashable, Sendable {
  /// Counts the files of all attempts.
  let number: Int
  /// Its size.
  let bytes: Int
  /// Of all its bytes.
  let digest: ArrayDigest

  private static let prefix = ".state-"

  private var name: String { "\(KeptState.prefix)\(number)" }

  /// Writes the bytes that `state` hands over to a new file of a partial folder, for good.
  static func write(
    _ state: ByteParts, number: Int, in folder: String
  ) throws -> KeptState {
    let path = "\(folder)/\(prefix)\(number)"
    FolderTree.remove(path)
    let file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    var offset = 0
    try state { bytes in
      try file.write(bytes, at: offset)
      offset += bytes.byteCount
    }
    try file.synchronize()
    try file.close()
    try Descriptor.synchronizeFolder(folder)
    return KeptState(number: number, bytes: offset, digest: try ArrayDigest(ofParts: state))
  }

  /// Compares the file in a partial folder with its size and digest; throws if it is not as it was.
  func check(in folder: String) throws {
    let file = try open(in: folder)
    let size = try file.size()
    let found = try ArrayDigest(ofParts: { write in
      for start in stride(from: 0, to: size, by: ArrayDigest.windowBytes) {
        let some = try file.read(count: min(ArrayDigest.windowBytes, size - start), at: start)
        // Bytes as bytes: every bit pattern is a number, and none is missing.
        try write(unsafe some.span.bytes)
      }
    })
    guard size == bytes, found == digest else {
      throw JobError(
        .inputOutput, "cannot go on with \(file.path): it is not as it was when it was kept")
    }
  }

  /// Opens the file in a partial folder.
  func open(in folder: String) throws(SystemError) -> Descriptor {
    try Descriptor(opening: "\(folder)/\(name)", O_RDONLY | O_NOFOLLOW)
  }

  /// Removes all such files of a folder but one.
  static func removeAll(from folder: String, but kept: KeptState? = nil) throws(SystemError) {
    for name in try FolderTree.names(in: folder) {
      let name = String(decoding: name, as: UTF8.self)
      guard name.hasPrefix(prefix), name != kept?.name else { continue }
      let path = "\(folder)/\(name)"
      try SystemCall.retrying("remove", path) { unsafe unlink(path) }
    }
  }
}

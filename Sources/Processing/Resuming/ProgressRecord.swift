import Formats
import FoundationEssentials
import Glibc
import Jacobians

/// What an attempt has on disk for good, in its partial folder: enough for another attempt to go on from there.
///
/// The file is a line of JSON, a line with its digest, and the bytes of all sums. It is written beside its place, fsynced
/// and renamed, after everything it tells of was fsynced; so there is always a whole one, or none.
struct ProgressRecord: Sendable {
  /// What is done of one array's file.
  struct ArrayProgress: Codable, Hashable, Sendable {
    /// In the order of the file.
    let runs: [Run]
  }

  /// Numbers of an array that follow one another and stand for good.
  struct Run: Codable, Hashable, Sendable {
    /// Which ones; before number 0 stands the header, which belongs to them.
    let numbers: Range<Int>
    /// The digest of what is done of the window in which they begin, if they do not begin it.
    let head: ArrayDigest
    /// The digests of the windows that are wholly done.
    let windows: [ArrayDigest]
    /// The digest of what is done of the window behind these.
    let tail: ArrayDigest
  }

  /// Everything but the sums.
  struct Content: Codable, Hashable, Sendable {
    /// What the attempt that goes on must be like.
    let identity: ResultIdentity
    /// The boot of the machine in which it was written.
    let bootID: String
    /// What is done.
    let computed: ComputedBlocks
    /// The attempts that went on where another had stopped, in order.
    let resumptions: [Resumption]
    /// Seconds of all attempts until then.
    let seconds: Double
    /// The arrays in the plan's order.
    let arrays: [ArrayProgress]
    /// Bytes of all sums.
    let sumBytes: Int
    /// The digest of all sums' bytes.
    let sumDigest: ArrayDigest
    /// Where the numbers are that it takes to go on within a sequence.
    let state: KeptState?
  }

  /// Its name in a partial folder.
  static let name = ".progress"
  private static let newName = ".progress.new"

  /// Everything but the sums.
  let content: Content
  /// The bytes of all sums.
  let sums: [UInt8]

  /// Whether a partial folder has a record.
  static func isThere(in folder: String) -> Bool { FolderTree.isThere("\(folder)/\(name)") }

  /// Removes the record and what belongs to it, before a folder is published.
  static func remove(from folder: String) throws(SystemError) {
    for name in [name, newName] where FolderTree.isThere("\(folder)/\(name)") {
      try SystemCall.retrying("remove", "\(folder)/\(name)") { unsafe unlink("\(folder)/\(name)") }
    }
    try KeptState.removeAll(from: folder)
  }

  /// Puts a record in its place for good.
  static func write(
    _ content: Content, in folder: String, sums: ((RawSpan) throws -> Void) throws -> Void
  ) throws {
    let path = "\(folder)/\(newName)"
    FolderTree.remove(path)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = [UInt8](try encoder.encode(content))
    let digest = ArrayDigest(of: unsafe json.span.bytes)
    let head = json + [10] + Array(digest.text.utf8) + [10]
    let file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    try file.write(head, at: 0)
    var offset = head.count
    try sums { bytes in
      try file.write(bytes, at: offset)
      offset += bytes.byteCount
    }
    try file.synchronize()
    try file.close()
    try SystemCall.retrying("rename", path) { unsafe rename(path, "\(folder)/\(name)") }
    try Descriptor.synchronizeFolder(folder)
  }

  /// Reads a folder's record; nil if there is none, or none that is whole.
  init?(in folder: String, sumBytes: Int) {
    guard
      let file = try? Descriptor(
        opening: "\(folder)/\(ProgressRecord.name)", O_RDONLY | O_NOFOLLOW),
      let size = try? file.size(), size <= sumBytes + ProgressRecord.largestHead,
      let bytes = try? file.read(count: size, at: 0),
      let end = bytes.firstIndex(of: 10)
    else { return nil }
    let json = bytes[..<end]
    let rest = bytes[(end + 1)...]
    let line = rest.prefix { $0 != 10 }
    guard String(decoding: line, as: UTF8.self) == ArrayDigest(of: Array(json)).text,
      let content = try? JSONDecoder().decode(Content.self, from: Data(json))
    else { return nil }
    let sums = Array(rest.dropFirst(line.count + 1))
    guard sums.count == sumBytes, content.sumBytes == sumBytes,
      ArrayDigest(of: sums) == content.sumDigest
    else { return nil }
    self.content = content
    self.sums = sums
  }

  /// More than any record has beside its sums: 40 bytes for each window of 8 MiB of 2 TiB.
  private static let largestHead = 256 << 20
}

/// An attempt that went on where another one had stopped.
struct Resumption: Codable, Hashable, Sendable {
  /// The attempt.
  let attempt: Int
  /// Blocks that it did not have to compute.
  let blocks: Int
}

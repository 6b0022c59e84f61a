import CLinux
package import Formats
import Glibc
package import Store

/// Keeping what is no job: the file as it is in `jobs/refused/`, its reason beside it.
package enum Refusal {
  /// The longest name in bytes that a kept file gets; numbers and `.reason.txt` must still fit behind it.
  private static let longestName = 220
  /// What the name of the note beside a kept file ends in.
  package static let noteEnding = ".reason.txt"

  /// Moves `entry` (raw bytes, it need not be UTF-8) of `folder` and writes `NAME.reason.txt` beside it.
  ///
  /// Returns the name it is kept under, `shown` with a number where that is taken or ends as a note's does, or nil when
  /// the entry is gone. Both folders are fsynced.
  package static func keep(
    _ entry: [UInt8], of folder: String, shown: String, because reason: String,
    in folders: QueueFolders
  ) throws(SystemError) -> String? {
    var stem = shown
    while stem.utf8.count > longestName { stem.removeLast() }
    let from = Array("\(folder)/".utf8) + entry + [0]
    var number = 1
    while true {
      let name = number == 1 ? stem : "\(stem)-\(number)"
      let note = "\(folders.refused)/\(name)\(noteEnding)"
      // What ends as a note's name does is a note, and nothing else: a start removes one whose file is gone.
      if name.hasSuffix(noteEnding) || FolderTree.isThere(note) {
        number += 1
        continue
      }
      if rename(from, Array("\(folders.refused)/\(name)".utf8) + [0]) == 0 {
        do throws(SystemError) {
          try FolderTree.write(Array((reason + "\n").utf8), to: note)
        } catch {
          unsafe unlink(note)
          // Back, where the next scan finds it: kept without a row, nobody would know of it before the next start. Where
          // its name is another's by now, it stays and gets its row.
          if rename(Array("\(folders.refused)/\(name)".utf8) + [0], from) == 0 { throw error }
        }
        try Descriptor.synchronizeFolder(folders.refused)
        try Descriptor.synchronizeFolder(folder)
        return name
      }
      switch errno {
      case EINTR: continue
      case EEXIST, ENOTEMPTY: number += 1
      // The inbox may have been removed and made again, and with it the folder for what is refused.
      case ENOENT where unsafe mkdir(folders.refused, 0o755) == 0: continue
      case ENOENT: return nil
      default: throw SystemError(call: "refuse", object: "\(folder)/\(shown)", code: errno)
      }
    }
  }

  /// Whether a name in the folder of refused files is a note's.
  ///
  /// Earlier versions kept a file that was called like a note under that name: it has a note itself.
  static func isNote(_ name: String, among present: Set<String>) -> Bool {
    name.hasSuffix(noteEnding) && !present.contains(name + noteEnding)
  }

  /// What the note beside a kept file says; a crash may have come before it was written.
  package static func reason(of kept: String, in folders: QueueFolders) -> String {
    guard let note = try? Descriptor(opening: "\(folders.refused)/\(kept)\(noteEnding)", O_RDONLY),
      let text = try? note.read(count: 1 << 16, at: 0), !text.isEmpty
    else {
      return "\(kept) was refused, and the daemon stopped before it wrote down why; drop it again"
    }
    return String(decoding: text.prefix { $0 != 10 }, as: UTF8.self)
  }

  /// Writes the note beside a kept file where it is missing, or was cut off before its first byte.
  static func restoreNote(of kept: String, in folders: QueueFolders) throws(SystemError) {
    let note = "\(folders.refused)/\(kept)\(noteEnding)"
    var status = stat()
    if unsafe lstat(note, &status) == 0 {
      guard status.st_size == 0 else { return }
      unsafe unlink(note)
    }
    let text = reason(of: kept, in: folders)
    try FolderTree.write(Array((text + "\n").utf8), to: note)
    try Descriptor.synchronizeFolder(folders.refused)
  }

  /// The row of a kept file, under the name it is kept as.
  package static func row(
    _ kept: String, id: Int64, uid: UInt32, in folders: QueueFolders
  ) -> NewJob {
    var status = stat()
    unsafe lstat("\(folders.refused)/\(kept)", &status)
    return NewJob(
      id: id, name: kept, file: kept, uid: uid, inode: UInt64(status.st_ino),
      modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec))
  }

  private static func rename(_ from: [UInt8], _ to: [UInt8]) -> Int32 {
    unsafe from.withUnsafeBytes { from in
      unsafe to.withUnsafeBytes { to in
        guard let from = from.baseAddress, let to = to.baseAddress else { return -1 }
        return unsafe nnjobs_rename_noreplace(
          from.assumingMemoryBound(to: CChar.self), to.assumingMemoryBound(to: CChar.self))
      }
    }
  }
}

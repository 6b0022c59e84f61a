import CLinux
package import Formats
import Glibc
package import Store

/// Keeping what is no job: the file as it is in `jobs/refused/`, its reason beside it.
package enum Refusal {
  /// Moves `entry` (raw bytes, it need not be UTF-8) of `folder` and writes `NAME.reason.txt` beside it.
  ///
  /// Returns the name it is kept under, or nil when the entry is gone. Both folders are fsynced.
  package static func keep(
    _ entry: [UInt8], of folder: String, as name: [UInt8]? = nil, shown: String,
    because reason: String, in folders: QueueFolders
  ) throws(SystemError) -> String? {
    // The names that follow, `-2.reason.txt` among them, must stay below NAME_MAX, 255 bytes.
    let stem = Array((name ?? entry).prefix(220))
    let shownStem = String(shown.prefix(100))
    var number = 1
    while true {
      let suffix = number == 1 ? "" : "-\(number)"
      let from = Array(folder.utf8) + [47] + entry + [0]
      let to = Array(folders.refused.utf8) + [47] + stem + Array(suffix.utf8) + [0]
      if rename(from, to) == 0 {
        let note = "\(folders.refused)/\(shownStem)\(suffix).reason.txt"
        FolderTree.remove(note)
        try FolderTree.write(Array((reason + "\n").utf8), to: note)
        try Descriptor.synchronizeFolder(folders.refused)
        try Descriptor.synchronizeFolder(folder)
        return shownStem + suffix
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

import Formats
import Glibc

/// What dropping into `jobs/` needs beside the file itself.
enum Inbox {
  /// Makes names in the inbox last through a power cut; `file` is one that was just dropped there.
  ///
  /// A drop box (mode 1730) lets nobody but the daemon open the folder; then its whole file system is synced.
  static func synchronize(
    _ folder: String, through file: borrowing Descriptor
  ) throws(SystemError) {
    do throws(SystemError) {
      try Descriptor.synchronizeFolder(folder)
    } catch {
      guard error.code == EACCES else { throw error }
      try file.synchronizeFileSystem()
    }
  }
}

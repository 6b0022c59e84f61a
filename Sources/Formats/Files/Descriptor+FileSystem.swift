private import CLinux
private import Glibc

extension Descriptor {
  /// syncfs(2): everything written to the file system of `path` is on disk; fails as fsync does (since Linux 5.8).
  package static func synchronizeFileSystem(of path: String) throws(SystemError) {
    let folder = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
    try SystemCall.retrying("syncfs", path) { nnjobs_syncfs(folder.number) }
  }
}

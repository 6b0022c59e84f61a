private import CLinux

extension Descriptor {
  /// syncfs(2): everything written to this descriptor's file system is on disk; fails as fsync does (since Linux 5.8).
  ///
  /// It tells of writes that failed since this descriptor was opened, so it has to be older than what is written.
  package func synchronizeFileSystem() throws(SystemError) {
    try SystemCall.retrying("syncfs", path) { nnjobs_syncfs(number) }
  }
}

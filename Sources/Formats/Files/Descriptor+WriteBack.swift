private import CLinux
private import Glibc

extension Descriptor {
  /// sync_file_range(2): begins to write what the page cache holds of `range` to the disk, without waiting.
  ///
  /// Where the call itself is refused, nothing begins before `synchronize`.
  package func beginWriteBack(of range: Range<Int>) throws(SystemError) {
    try writeBack(range, wait: false)
  }

  /// Waits until `range` has left for the disk, and lets the page cache forget it.
  ///
  /// Durable it is only after `synchronize`: neither sizes and extents nor the disk's own cache are written here.
  package func finishWriteBack(of range: Range<Int>) throws(SystemError) {
    try writeBack(range, wait: true)
    // Advice: a page that stays costs memory, no more.
    _ = posix_fadvise(number, range.lowerBound, range.count, POSIX_FADV_DONTNEED)
  }

  // The kernel tells of a failed write once, here or in fsync(2): an error is never passed over. EPERM and
  // ENOSYS are a call filter's or an emulator's, and come before anything is looked at.
  private func writeBack(_ range: Range<Int>, wait: Bool) throws(SystemError) {
    do throws(SystemError) {
      try SystemCall.retrying("write back", path) {
        nnjobs_sync_file_range(number, range.lowerBound, range.count, wait ? 1 : 0)
      }
    } catch  where error.code == EPERM || error.code == ENOSYS {}
  }
}

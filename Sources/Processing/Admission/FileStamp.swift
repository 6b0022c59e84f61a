import Glibc

/// What tells that a file has not changed: its inode, its size and its change time.
///
/// The change time and not the modification time, which a copying program may set to the past.
struct FileStamp: Hashable {
  private let inode: UInt
  private let size: Int
  private let seconds: Int
  private let nanoseconds: Int
  /// Who owns it.
  let uid: UInt32

  /// Reads the stamp of a file, a link itself and not its target; nil when it is not there.
  init?(of path: String) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return nil }
    inode = status.st_ino
    size = Int(status.st_size)
    seconds = status.st_ctim.tv_sec
    nanoseconds = status.st_ctim.tv_nsec
    uid = status.st_uid
  }

  /// Whether the file last changed more than so many seconds ago; a time in the future counts as long ago.
  func isOlder(than age: Double) -> Bool {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return !(0...age).contains(Double(now.tv_sec - seconds))
  }
}

import Formats
import Glibc
import Processing
import Store

/// Work on a queue that no daemon serves: its lock is held, and root acts as the queue's owner.
enum Maintenance {
  /// Refuses whoever neither owns the queue's state nor is root.
  static func requireOwner(of folders: QueueFolders, to verb: String) throws(Complaint) {
    var status = stat()
    // What is not there belongs to nobody, and is complained of when it is opened.
    guard unsafe stat(folders.state, &status) == 0 else { return }
    guard geteuid() == 0 || geteuid() == status.st_uid else {
      var names = UserNames()
      throw .notTheOwner(
        verb: verb, state: folders.state, owner: names.name(of: status.st_uid))
    }
  }

  /// Whether the caller may work on the queue's files itself.
  static func isOwner(of folders: QueueFolders) -> Bool {
    do throws(Complaint) {
      try requireOwner(of: folders, to: "")
      return unsafe access(folders.state, F_OK) == 0
    } catch { return false }
  }

  /// Takes the daemon's lock; what root makes from here on belongs to the queue's owner, as the daemon's own would.
  static func begin(_ folders: QueueFolders) throws -> DaemonLock {
    var status = stat()
    if geteuid() == 0, unsafe stat(folders.state, &status) == 0, status.st_uid != 0 {
      for (call, result) in [
        ("setgroups", { setgroups(0, nil) }), ("setegid", { setegid(status.st_gid) }),
        ("seteuid", { seteuid(status.st_uid) }),
      ] as [(String, () -> Int32)] where result() != 0 {
        throw SystemError(call: call, object: "the owner of \(folders.state)", code: errno)
      }
      umask(0o027)
    }
    try folders.prepare()
    return try DaemonLock.take(folders)
  }
}

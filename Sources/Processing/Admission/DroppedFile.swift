package import Formats
import Glibc

/// A file in the inbox, opened: nothing is known yet but that it is a regular file, whose, and how long.
package struct DroppedFile: ~Copyable {
  /// Its name in the inbox.
  package let name: String
  /// The open file; what is examined is this, whatever happens to the name meanwhile.
  package let file: Descriptor
  /// Its owner, who will own the job.
  package let uid: UInt32
  /// Its inode.
  package let inode: UInt64
  /// When its content last changed, nanoseconds since 1970.
  package let modified: Int64
  /// How many names it has.
  package let links: Int

  /// The longest name of a job file in bytes: ids, `.reason.txt` and numbers must still fit behind it.
  package static let longestName = 200

  /// Opens what is at `path` without following a link or waiting for a FIFO; throws why it can be no job.
  package init(opening path: String, name: String) throws(DropError) {
    let opened = try DroppedFile.open(path)
    let status = try DroppedFile.statusOfRegularFile(opened)
    file = opened
    self.name = name
    uid = status.st_uid
    inode = UInt64(status.st_ino)
    modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    links = Int(status.st_nlink)
  }

  private static func open(_ path: String) throws(DropError) -> Descriptor {
    do throws(SystemError) {
      return try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch { throw DropError(error, path: path) }
  }

  private static func statusOfRegularFile(
    _ file: borrowing Descriptor
  ) throws(DropError) -> stat {
    do throws(SystemError) {
      let status = try file.status()
      switch status.st_mode & S_IFMT {
      case S_IFREG: return status
      case S_IFDIR: throw SystemError(call: "read", object: file.path, code: EISDIR)
      default: throw SystemError(call: "read", object: file.path, code: ENXIO)
      }
    } catch { throw DropError(error, path: file.path) }
  }
}

/// Why something in the inbox can be no job, or not yet.
package enum DropError: Error, Hashable, Sendable {
  /// It is gone again: renamed, removed, or claimed already.
  case gone
  /// It is no regular file, or may not be read: a sentence.
  case refused(String)
  /// It cannot be opened now, for a reason of this machine's that may pass.
  case later(SystemError)

  fileprivate init(_ error: SystemError, path: String) {
    switch error.code {
    case ENOENT: self = .gone
    case EISDIR:
      self = .refused("cannot read \(path): it is a folder; drop job files one by one")
    case ELOOP:
      self = .refused("cannot read \(path): it is a symbolic link; copy the file it points to")
    case ENXIO, ENODEV:
      self = .refused(
        "cannot read \(path): it is no regular file; drop a .json or .safetensors file")
    case EACCES, EPERM:
      self = .refused(
        "cannot read \(path): \(error.reason); make it readable for the daemon, as with chmod g+r, "
          + "and drop it again")
    default: self = .later(error)
    }
  }
}

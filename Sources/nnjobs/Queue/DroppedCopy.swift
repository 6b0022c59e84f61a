import CLinux
import Formats
import FoundationEssentials
import Glibc
import Processing

/// A job file that `submit` has put into the inbox for good: on disk, under its name, complete.
struct DroppedCopy: Sendable {
  /// Its name in the inbox.
  let name: String
  /// Its inode.
  let inode: UInt64
  /// When it was written, nanoseconds since 1970; with the inode, how its row is found.
  let modified: Int64

  /// Writes a job file into the inbox: a temporary name, fsync, a rename that replaces nothing, fsync of the folder.
  ///
  /// After it returns the job survives a power cut; when it throws, nothing stays behind.
  init(
    of job: JobFile, named wanted: JobFileName, priority: Int?, in folders: QueueFolders
  ) throws {
    let temporary = "\(folders.jobs)/.tmp-\(UUID().uuidString)"
    let file = try Descriptor(
      opening: temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640)
    do {
      Self.letDaemonRead(file, in: folders)
      if job.hasReferences || priority != nil {
        try JobPacking(job, priority: priority).write(to: file)
      } else {
        try Self.copy(job.path, to: file)
      }
      try file.synchronize()
      let status = try file.status()
      inode = UInt64(status.st_ino)
      modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
      name = try Self.rename(temporary, to: wanted, in: folders.jobs)
    } catch {
      unsafe _ = unlink(temporary)
      throw error
    }
    try Inbox.synchronize(folders.jobs, through: file)
    try file.close()
  }

  /// Lets the daemon, who owns the queue's state, read the file, and nobody else.
  ///
  /// Where there are no access lists the daemon reads it as a member of the folder's group, whatever the caller's
  /// umask says; where that cannot be granted either it stays as it is.
  private static func letDaemonRead(_ file: borrowing Descriptor, in folders: QueueFolders) {
    var status = stat()
    guard unsafe stat(folders.state, &status) == 0 || stat(folders.jobs, &status) == 0 else {
      return
    }
    do throws(SystemError) {
      if status.st_uid == geteuid() || status.st_uid == 0 {
        _ = fchmod(file.number, 0o600)
      } else {
        try AccessList(users: [status.st_uid]).apply(to: file)
      }
    } catch { _ = fchmod(file.number, 0o640) }
  }

  /// Copies the file's bytes, a piece at a time.
  private static func copy(_ path: String, to target: borrowing Descriptor) throws(SystemError) {
    let source = try Descriptor(opening: path, O_RDONLY)
    var offset = 0
    while true {
      let piece = try source.read(count: 1 << 20, at: offset)
      if piece.isEmpty { return }
      unsafe try target.write(piece.span.bytes, at: offset)
      offset += piece.count
    }
  }

  /// Gives the file its name, or `NAME-2`, `NAME-3`… when that is taken.
  private static func rename(
    _ temporary: String, to wanted: JobFileName, in folder: String
  ) throws(SystemError) -> String {
    var number = 1
    while true {
      let suffix = number == 1 ? "" : "-\(number)"
      let name = wanted.job + suffix + (wanted.ending ?? "")
      do throws(SystemError) {
        try SystemCall.retrying("rename", temporary) {
          unsafe nnjobs_rename_noreplace(temporary, "\(folder)/\(name)")
        }
        return name
      } catch {
        guard error.code == EEXIST else { throw error }
        number += 1
      }
    }
  }
}

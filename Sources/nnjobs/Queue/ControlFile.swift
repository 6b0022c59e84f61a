import Formats
import Glibc
import Processing
import Store

extension ControlRequest.Verb {
  /// What will have happened to a job.
  var past: String { self == .cancel ? "cancelled" : "queued again" }

  /// Whether a job in this state can be asked it.
  func isPossible(in state: JobState) -> Bool {
    switch self {
    case .cancel: JobEvent.cancel.destination(from: state) != nil
    case .retry: JobEvent.retry.destination(from: state) != nil
    }
  }
}

/// What a user asks of the daemon about one job: an empty file in the inbox whose owner is the proof of who asks.
struct ControlFile: Sendable {
  /// Where it is dropped, as `jobs/.cancel-12`.
  let path: String

  /// Drops it durably; when one is there already, that one stands.
  init(_ request: ControlRequest, in folders: QueueFolders) throws(SystemError) {
    path = "\(folders.jobs)/\(request.fileName)"
    do throws(SystemError) {
      let file = try Descriptor(
        opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640)
      try file.synchronize()
      try Inbox.synchronize(folders.jobs, through: file)
      try file.close()
    } catch {
      if error.code != EEXIST { throw error }
    }
  }

  /// Whether the daemon has not taken it away yet.
  var isThere: Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }
}

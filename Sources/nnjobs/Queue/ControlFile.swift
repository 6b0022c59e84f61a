import Formats
import Glibc
import Processing
import Store

extension ControlRequest.Verb {
  /// The word that people use for it.
  var word: String { self == .removeResult ? "remove" : rawValue }

  /// What will have happened to a job.
  var past: String {
    switch self {
    case .cancel: "cancelled"
    case .retry: "queued again"
    case .hold: "held"
    case .release: "released"
    case .remove, .removeResult: "removed"
    }
  }

  /// Whether a job as it is can be asked it.
  func isPossible(for job: Job) -> Bool {
    switch self {
    case .cancel: JobEvent.cancel.destination(from: job.state) != nil
    case .retry: JobEvent.retry.destination(from: job.state) != nil
    case .hold: job.state == .queued && !job.isHeld
    case .release: job.state == .queued && (job.isHeld || job.notBefore != nil)
    case .remove, .removeResult: job.state.isFinal
    }
  }

  /// What the owner of a job that cannot be asked it could do instead.
  func remedy(for job: Job) -> String? {
    switch (self, job.state) {
    case (.retry, .refused): "put the file right and submit it"
    case (.hold, .queued): "it is held already"
    case (.hold, .running): "cancel it, or let it end"
    case (.release, .queued): "nobody holds it; `nnjobs why \(job.id)` says what it waits for"
    case (.remove, .queued), (.remove, .running), (.removeResult, .queued),
      (.removeResult, .running):
      "cancel it first"
    default: nil
    }
  }
}

/// What a user asks of the daemon about one job: an empty file in the inbox whose owner is the proof of who asks.
struct ControlFile: Sendable {
  /// Where it is dropped, as `jobs/.cancel-12`.
  let path: String

  /// How often and how long to wait for somebody else's request to be denied, in microseconds.
  private static let waits = (count: 100, pause: UInt32(20_000))

  /// Drops it durably; when one of the caller's is there already, that one stands.
  ///
  /// Somebody else's proves nothing for the caller: the daemon denies it and takes it away, and then there is room.
  init(_ request: ControlRequest, in folders: QueueFolders) throws(SystemError) {
    path = "\(folders.jobs)/\(request.fileName)"
    var status = stat()
    for _ in 0..<Self.waits.count {
      guard folders.isDaemonRunning, unsafe lstat(path, &status) == 0,
        status.st_uid != geteuid()
      else { break }
      usleep(Self.waits.pause)
    }
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

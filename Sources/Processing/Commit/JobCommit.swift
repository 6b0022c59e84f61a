import Formats
import Glibc
package import Store

/// The end of an attempt: files first, then the row, and only then the claimed file goes.
package struct JobCommit: Sendable {
  /// How often a job may kill its worker before it is given up.
  package static let allowedDeaths = 3

  /// How an attempt ended, as its slot saw it.
  package enum AttemptEnd: Sendable {
    /// The partial folder is complete and on disk.
    case written(WrittenResult)
    /// The job failed, or was cancelled, and its partial folder is gone.
    case failed(JobError)
    /// The worker process ended first.
    case died(ProcessEnd)
    /// The daemon stops: the job goes back as if it had not been started.
    case returned
  }

  private let folders: QueueFolders
  private let store: JobStore

  /// Commits for one queue.
  package init(folders: QueueFolders, store: JobStore) {
    self.folders = folders
    self.store = store
  }

  /// Where an attempt writes its results until they are published.
  package func partial(of id: Int64, attempt: Int) -> String {
    "\(folders.results)/.partial-\(id)-\(attempt)"
  }

  /// Publishes or gives up, records which, and gives the state the job is in now.
  @discardableResult
  package func end(_ job: Job, attempt: Int, _ end: AttemptEnd) throws(QueueFault) -> JobState {
    switch end {
    case .written(let result): return try publish(result, of: job, attempt: attempt)
    case .failed(let error): return try fail(job, attempt, error)
    case .died(let end):
      FolderTree.remove(partial(of: job.id, attempt: attempt))
      let deaths = attempt - job.forgivenAttempts
      guard deaths >= JobCommit.allowedDeaths else {
        return try requeue(job, attempt, counting: true)
      }
      return try fail(
        job, attempt,
        JobError(
          .quarantined,
          "\(job.name) is quarantined: its worker \(end.sentence), \(deaths) times in all; "
            + "nnjobs retry \(job.id) tries it again"))
    case .returned:
      FolderTree.remove(partial(of: job.id, attempt: attempt))
      return try requeue(job, attempt, counting: false)
    }
  }

  private func publish(
    _ result: WrittenResult, of job: Job, attempt: Int
  ) throws(QueueFault) -> JobState {
    let folder: String
    do throws(SystemError) {
      folder = try Publication.rename(result.partial, to: job.name, in: folders.results)
    } catch {
      // Nothing was named: the job is concerned, not the queue.
      FolderTree.remove(result.partial)
      return try fail(job, attempt, JobError(error))
    }
    try QueueFault.files { () throws(SystemError) in
      try Descriptor.synchronizeFolder(folders.results)
    }
    try record { store throws(StoreError) in
      try store.finish(
        job.id, attempt: attempt, .succeeded(result: folder, bytes: Int64(result.bytes)))
    }
    // The row is on disk: from here on the claimed file is a leftover that a start would remove.
    unsafe unlink("\(folders.claimed)/\(job.file)")
    return .succeeded
  }

  private func fail(_ job: Job, _ attempt: Int, _ error: JobError) throws(QueueFault) -> JobState {
    let reason = JobReason(code: error.code.rawValue, text: error.sentence)
    let isCancelled = error.code == .cancelled
    try record { store throws(StoreError) in
      try store.finish(
        job.id, attempt: attempt, isCancelled ? .cancelled(reason) : .failed(reason))
    }
    return isCancelled ? .cancelled : .failed
  }

  private func requeue(_ job: Job, _ attempt: Int, counting: Bool) throws(QueueFault) -> JobState {
    try record { store throws(StoreError) in
      try store.requeue(job.id, attempt: attempt, countingAttempt: counting)
    }
    return .queued
  }

  private func record(_ body: (borrowing Store) throws(StoreError) -> Bool) throws(QueueFault) {
    _ = try QueueFault.store { () throws(StoreError) in try store.record(body) }
  }
}

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
  private var partials: PartialFolders { PartialFolders(in: folders.results) }

  /// Commits for one queue.
  package init(folders: QueueFolders, store: JobStore) {
    self.folders = folders
    self.store = store
  }

  /// Where an attempt writes its results until they are published.
  package func partial(of id: Int64, attempt: Int) -> String {
    partials.folder(of: id, attempt: attempt)
  }

  /// What happened to each job.
  package var log: JobLog { JobLog(folders) }

  /// Publishes or gives up, records which, and gives the state the job is in now.
  @discardableResult
  package func end(_ job: Job, attempt: Int, _ end: AttemptEnd) throws(QueueFault) -> JobState {
    let state = try settle(job, attempt: attempt, end)
    log.note(job.id, "attempt \(attempt) \(end.words); the job is \(state.rawValue)")
    return state
  }

  private func settle(
    _ job: Job, attempt: Int, _ end: AttemptEnd
  ) throws(QueueFault) -> JobState {
    switch end {
    case .written(let result): return try publish(result, of: job, attempt: attempt)
    case .failed(let error):
      // A worker removes it before it says so; one that had to be killed could not.
      FolderTree.remove(partial(of: job.id, attempt: attempt))
      return error.mayPass
        ? try putOff(job, attempt, counting: false, error) : try fail(job, attempt, error)
    case .died(let end):
      partials.settle(of: job.id, attempt: attempt)
      let deaths = attempt - job.forgivenAttempts
      guard deaths >= JobCommit.allowedDeaths else {
        // What killed it may pass, as a lack of memory does: others go first for a moment.
        return try putOff(
          job, attempt, counting: true,
          JobError(
            .workerDied,
            "\(job.name) is tried again: its worker \(end.sentence) in attempt \(attempt)"))
      }
      return try fail(
        job, attempt,
        JobError(
          .quarantined,
          "\(job.name) is quarantined: its worker \(end.sentence), \(deaths) times in all; "
            + "nnjobs retry \(job.id) tries it again"))
    case .returned:
      partials.settle(of: job.id, attempt: attempt)
      try requeue(job, attempt, counting: false)
      return .queued
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
      return try unnamed(job, attempt, error)
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

  /// A full disk passes by itself; a folder that may not be written is put right by somebody, or not.
  private func unnamed(
    _ job: Job, _ attempt: Int, _ error: SystemError
  ) throws(QueueFault) -> JobState {
    if error.mayPass { return try putOff(job, attempt, counting: false, JobError(error)) }
    let isLast = attempt - job.forgivenAttempts >= JobCommit.allowedDeaths
    guard [EACCES, EPERM, EROFS].contains(error.code), !isLast else {
      return try fail(job, attempt, JobError(error))
    }
    return try putOff(job, attempt, counting: true, JobError(error))
  }

  private func fail(_ job: Job, _ attempt: Int, _ error: JobError) throws(QueueFault) -> JobState {
    partials.remove(of: job.id, upTo: attempt)
    let reason = JobReason(code: error.code.rawValue, text: error.sentence)
    let isCancelled = error.code == .cancelled
    try record { store throws(StoreError) in
      try store.finish(
        job.id, attempt: attempt, isCancelled ? .cancelled(reason) : .failed(reason))
    }
    return isCancelled ? .cancelled : .failed
  }

  /// Back into the queue, but not at once: for longer each time, with the reason for all to see.
  private func putOff(
    _ job: Job, _ attempt: Int, counting: Bool, _ error: JobError
  ) throws(QueueFault) -> JobState {
    let reason = JobReason(code: error.code.rawValue, text: error.sentence)
    let longest = error.code == .diskFull ? JobDelay.longestForDisk : JobDelay.longest
    try requeue(
      job, attempt, counting: counting,
      JobDelay(after: job.delays, longest: longest, because: reason))
    return .queued
  }

  private func requeue(
    _ job: Job, _ attempt: Int, counting: Bool, _ delay: JobDelay? = nil
  ) throws(QueueFault) {
    try record { store throws(StoreError) in
      try store.requeue(
        job.id, attempt: attempt, countingAttempt: counting, delay: delay)
    }
  }

  private func record(_ body: (borrowing Store) throws(StoreError) -> Bool) throws(QueueFault) {
    _ = try QueueFault.store { () throws(StoreError) in try store.insist(body) }
  }
}

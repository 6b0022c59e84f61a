package import Store

/// What one user's results may take on disk in all, and what they take: those published and those that running jobs write.
///
/// A result counts until its folder is gone, whoever removed it; its job may be forgotten long before. It counts as
/// what its plan promised, so that what a job reserves at its start and what its result takes are one number.
package struct ResultRoom: Hashable, Sendable {
  /// Bytes that the user's results may take.
  package let limit: Int
  /// Bytes that the published ones take.
  package let kept: Int
  /// Bytes that the user's running jobs are promised.
  package let promised: Int

  /// States a room.
  package init(limit: Int, kept: Int, promised: Int) {
    self.limit = limit
    self.kept = kept
    self.promised = promised
  }

  /// The word for waiting for it.
  package static let code = "user-results"

  /// Counts what the results of a job's user take; nil where they may take any number of bytes, or there is room for the job.
  ///
  /// Looks for the folders only where the noted sum leaves no room: somebody may have removed some.
  package static func lacking(
    for job: Job, _ limits: QueueLimits, in store: borrowing Store, results: String
  ) throws(StoreError) -> (room: ResultRoom, gone: [KeptResult])? {
    guard let limit = limits.results, !limits.isExempt(job.uid) else { return nil }
    let (kept, promised) = try store.resultBytes(of: job.uid)
    let noted = ResultRoom(limit: limit, kept: Int(kept), promised: Int(promised))
    if noted.holds(job) { return nil }
    let gone = try store.results(of: job.uid)
      .filter { !FolderTree.isThere("\(results)/\($0.folder)") }
    let freed = gone.reduce(0) { $0 + Int($1.bytes) }
    return (ResultRoom(limit: limit, kept: noted.kept - freed, promised: noted.promised), gone)
  }

  /// Whether a job's result has room beside the others.
  package func holds(_ job: Job) -> Bool {
    let (sum, overflow) = (kept + promised).addingReportingOverflow(Int(job.disk))
    return !overflow && sum <= limit
  }

  /// What stands in a job's way, with the numbers.
  package func words(for job: Job) -> String {
    let running = promised > 0 ? ", its running jobs will take \(ByteCount.text(promised))" : ""
    return "its results take \(ByteCount.text(Int(job.disk))); its user's take "
      + "\(ByteCount.text(kept))\(running), and one user's may take \(ByteCount.text(limit)) in all"
  }

  /// What would cure it.
  package func cure(for job: Job) -> String {
    job.disk > limit
      ? "it can never start unless the limit is raised: cancel it and ask for less"
      : "remove results that are no longer needed, as with nnjobs remove --with-results or "
        + "nnjobs clean --with-results"
  }

  /// Why a job waits that has no room.
  func reason(for job: Job) -> JobReason {
    JobReason(
      code: ResultRoom.code,
      text: "\(job.name) waits for room: \(words(for: job)); \(cure(for: job))")
  }
}

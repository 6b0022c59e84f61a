import Formats
import Glibc
import Store

/// What a start repairs: every state that a crash can leave between files and rows. Doing it twice changes nothing.
package struct Recovery: Sendable {
  private let admission: Admission
  private let store: JobStore
  private let commit: JobCommit
  private let bootID: String
  private let log: @Sendable (String) -> Void

  /// Recovers one queue, which nobody else may serve; `bootID` tells a restart of the machine from one of the daemon.
  package init(
    admission: Admission, store: JobStore, commit: JobCommit, bootID: String,
    log: @escaping @Sendable (String) -> Void
  ) {
    self.admission = admission
    self.store = store
    self.commit = commit
    self.bootID = bootID
    self.log = log
  }

  private var folders: QueueFolders { admission.folders }

  /// Repairs everything and gives the id that the next job will have.
  package func run() throws(QueueFault) -> Int64 {
    let claims = try claims()
    try settleRunning()
    try settleClaims(claims)
    try failLost(claims)
    try removePartials()
    try removeStaleDrops()
    try removeProbes()
    try removeNotes()
    let largest = try rows { store throws(StoreError) in try store.largestId() }
    return try recordRefused(from: max(largest, claims.map(\.id).max() ?? 0) + 1)
  }

  /// Every running row belongs to a daemon that is gone: its result was published, or it runs again.
  private func settleRunning() throws(QueueFault) {
    let running = try rows { store throws(StoreError) in try store.running() }
    guard !running.isEmpty else { return }
    let published = try files { () throws(SystemError) in
      try FolderTree.names(in: folders.results).map { String(decoding: $0, as: UTF8.self) }
    }
    for job in running {
      if let folder = PublishedResult.find(of: job, among: published, in: folders) {
        try rows { store throws(StoreError) in
          _ = try store.finish(
            job.id, attempt: job.attempts, .succeeded(result: folder, bytes: job.bytes))
        }
        log("recover \(job.id) \(job.name): it was published as \(folder)")
        continue
      }
      // A daemon that died took its workers along, through no fault of the job; a machine that went
      // down may have gone down for its sake.
      let sameBoot = job.owner?.hasPrefix(bootID + "/") ?? false
      let state = try commit.end(
        job, attempt: job.attempts, sameBoot ? .returned : .died(.signalled(SIGPWR)))
      log("recover \(job.id) \(job.name): \(state.rawValue)")
    }
  }

  /// A claimed file without a row gets it; one whose job succeeded goes.
  private func settleClaims(_ claims: [ClaimedFile]) throws(QueueFault) {
    for claim in claims {
      let job = try rows { store throws(StoreError) in try store.job(claim.id) }
      switch job?.state {
      case nil:
        guard let row = try claim.settle(admission, store) else { continue }
        try rows { store throws(StoreError) in _ = try store.admit(row) }
        log("recover \(claim.id) \(claim.name.job): claimed, and now in the store")
      case .succeeded: unsafe unlink("\(folders.claimed)/\(claim.fileName)")
      default: break
      }
    }
  }

  /// A queued row without its file can never run; it says so.
  private func failLost(_ claims: [ClaimedFile]) throws(QueueFault) {
    let present = Set(claims.map(\.id))
    var filter = JobFilter()
    filter.states = [.queued]
    let queued = try rows { [filter] store throws(StoreError) in try store.jobs(filter) }
    for job in queued where !present.contains(job.id) {
      let reason = JobReason(
        code: JobError.Code.inputOutput.rawValue,
        text: "cannot run \(job.name): its job file \(folders.claimed)/\(job.file) is gone")
      try rows { store throws(StoreError) in _ = try store.failQueued(job.id, because: reason) }
      log("recover \(job.id) \(job.name): its job file is gone")
    }
  }

  /// The note of a file that is not beside it: a power cut put the file back, or took it away first when both were removed.
  private func removeNotes() throws(QueueFault) {
    let (names, known) = try refused()
    for name in names where Refusal.isNote(name, among: names) && !known.contains(name) {
      let file = String(name.dropLast(Refusal.noteEnding.count))
      if names.contains(file) { continue }
      unsafe unlink("\(folders.refused)/\(name)")
      log("recover \(file): it is not among the refused files, so its note goes")
    }
  }

  /// The names in the folder of refused files, and those among them, or gone, that the store has rows of.
  private func refused() throws(QueueFault) -> (names: Set<String>, known: Set<String>) {
    var filter = JobFilter()
    filter.states = [.refused]
    let known = try rows { [filter] store throws(StoreError) in try store.jobs(filter).map(\.file) }
    let names = try files { () throws(SystemError) in try FolderTree.names(in: folders.refused) }
    return (Set(names.map { String(decoding: $0, as: UTF8.self) }), Set(known))
  }

  /// A file that was kept aside and has no row gets it, under the first free id; gives the next one.
  private func recordRefused(from firstID: Int64) throws(QueueFault) -> Int64 {
    let (names, known) = try refused()
    var id = firstID
    for name in names.sorted()
    where !known.contains(name) && !Refusal.isNote(name, among: names) {
      let reason = Refusal.reason(of: name, in: folders)
      do throws(SystemError) { try Refusal.restoreNote(of: name, in: folders) } catch {
        if error.losesWrites { throw .files(error) }
        // Where the disk has no room for the note, the row has the reason, and fsck tells of the note.
      }
      let row = Refusal.row(
        name, id: id, uid: FolderTree.owner(of: "\(folders.refused)/\(name)"), in: folders)
      try rows { store throws(StoreError) in
        _ = try store.refuse(
          row, because: JobReason(code: JobError.Code.invalid.rawValue, text: reason))
      }
      log("recover \(id) \(name): refused, and now in the store")
      id += 1
    }
    return id
  }

  /// What attempts left that did not end, unless a queued job goes on there; folders of `nnjobs run` stay while their process lives.
  private func removePartials() throws(QueueFault) {
    let names = try files { () throws(SystemError) in try FolderTree.names(in: folders.results) }
    var filter = JobFilter()
    filter.states = [.queued]
    let partials = names.map { String(decoding: $0, as: UTF8.self) }
      .filter { $0.hasPrefix(".partial-") && !ForegroundRun.isLive(partial: $0) }
    guard !partials.isEmpty else { return }
    let queued = Set(
      try rows { [filter] store throws(StoreError) in try store.jobs(filter).map(\.id) })
    for name in partials
    where !PartialFolders.isKept(name, in: folders.results, queued: queued) {
      FolderTree.remove("\(folders.results)/\(name)")
    }
  }

  /// Half a drop, whose writer is gone for more than a day.
  private func removeStaleDrops() throws(QueueFault) {
    let names = try files { () throws(SystemError) in try FolderTree.names(in: folders.jobs) }
    for name in names where name.starts(with: ".tmp-".utf8) {
      let path = folders.jobs + "/" + String(decoding: name, as: UTF8.self)
      if FileStamp(of: path)?.isOlder(than: QueueCheck.staleAge) ?? false {
        FolderTree.remove(path)
      }
    }
  }

  /// What a start left that was killed while it tried whether files can be renamed between the folders.
  private func removeProbes() throws(QueueFault) {
    for folder in [folders.jobs, folders.claimed] {
      let names = try files { () throws(SystemError) in try FolderTree.names(in: folder) }
      for name in names where name.starts(with: QueueFolders.probePrefix.utf8) {
        FolderTree.remove(folder + "/" + String(decoding: name, as: UTF8.self))
      }
    }
  }

  private func claims() throws(QueueFault) -> [ClaimedFile] {
    let names = try files { () throws(SystemError) in try FolderTree.names(in: folders.claimed) }
    return names.compactMap { ClaimedFile(fileName: String(decoding: $0, as: UTF8.self)) }
      .sorted { $0.id < $1.id }
  }

  private func rows<Value: Sendable>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(QueueFault) -> Value {
    try QueueFault.store { () throws(StoreError) in try store.record(body) }
  }

  private func files<Value>(
    _ body: () throws(SystemError) -> Value
  ) throws(QueueFault) -> Value {
    try QueueFault.files(body)
  }
}

import Formats
import Glibc
import Store

/// Takes files out of the inbox: each becomes a claimed file and a row, or is kept aside with its reason.
///
/// Files first, then the row: a claimed file without a row is admitted by the next start. Belongs to one queue.
package struct Intake: ~Copyable {
  /// How many seconds a file may stay incomplete after its last change, unless the configuration says so.
  package static let defaultPatience = 60.0
  /// How many names are looked at before the rows of what they gave are recorded together.
  package static let batch = 256

  private let admission: Admission
  private let store: JobStore
  private let patience: Double
  private let log: @Sendable (String) -> Void
  private var nextID: Int64
  private var pending: ArraySlice<[UInt8]> = []
  /// Names that begin with a full stop, requests among them: they wait for no backlog.
  private var asked: [[UInt8]] = []
  private var unrecorded: [Entry] = []
  private var waiting: [[UInt8]: FileStamp] = [:]
  /// How many jobs each user has queued, as of this batch; empty unless that is limited.
  private var queued: [UInt32: Int] = [:]
  /// Users of whom no more is taken in until some of their jobs have started; said once.
  private var full: Set<UInt32> = []

  /// Takes files in for one queue; ids start at `nextID`, `patience` is in seconds.
  package init(
    admission: Admission, store: JobStore, nextID: Int64, patience: Double = defaultPatience,
    log: @escaping @Sendable (String) -> Void
  ) {
    self.admission = admission
    self.store = store
    self.nextID = nextID
    self.patience = patience
    self.log = log
  }

  private var folders: QueueFolders { admission.folders }

  /// Whether every name it was told of has been taken.
  package var isIdle: Bool { pending.isEmpty && asked.isEmpty }

  /// Puts everything in the inbox on the list, unless there is a list to finish first.
  package mutating func scan() {
    guard isIdle else { return }
    do throws(SystemError) {
      let names = try FolderTree.names(in: folders.jobs)
      let present = Set(names)
      waiting = waiting.filter { present.contains($0.key) }
      asked = names.filter(Intake.isHidden)
      pending = names.filter { !Intake.isHidden($0) }[...]
    } catch {
      log("cannot look into the inbox: \(error.sentence)")
    }
  }

  /// Puts names on the list that may be new files.
  package mutating func hear(of names: [[UInt8]]) {
    asked += names.filter(Intake.isHidden)
    pending += names.filter { !Intake.isHidden($0) }
  }

  private static func isHidden(_ name: [UInt8]) -> Bool { name.first == UInt8(ascii: ".") }

  /// Takes in the next files of the list, one batch; gives every control request there is.
  ///
  /// A batch at a time, so that the first jobs run while a long backlog is still being taken in. While the disk is
  /// full nothing more is taken, and the list is given up for the next scan.
  package mutating func takeBatch() throws(QueueFault) -> [ControlRequest] {
    var requests: [ControlRequest] = []
    for name in asked {
      if case .control(let request) = JobFileName.read(name) { requests.append(request) }
    }
    asked = []
    guard try recordRows() else {
      pending = []
      return requests
    }
    queued = [:]
    for name in pending.prefix(Intake.batch) where !pending.isEmpty {
      try takeOne(name)
    }
    // Empty already when a claim found no room.
    pending = pending.dropFirst(Intake.batch)
    if !unrecorded.isEmpty {
      try synchronizeClaims()
      _ = try recordRows()
    }
    return requests
  }

  private mutating func takeOne(_ bytes: [UInt8]) throws(QueueFault) {
    switch JobFileName.read(bytes) {
    case .ignored, .control: return
    case .impossible(let shown, let reason):
      let sentence = "cannot take \(folders.jobs)/\(shown): \(reason)"
      let owner = FolderTree.owner(of: folders.jobs)
      try refuse(bytes, shown: shown, JobError(.invalid, sentence), uid: owner)
    case .job(let name):
      let stamp = FileStamp(of: "\(folders.jobs)/\(name.file)")
      // What was incomplete is not read again before it changes, or its patience is over.
      if let stamp, stamp == waiting[bytes], !stamp.isOlder(than: patience) { return }
      if let stamp, try !mayQueue(stamp.uid) { return }
      switch admission.examine(name) {
      case .admissible(let file): try claim(file)
      case .refused(let error, let uid): try refuse(bytes, shown: name.file, error, uid: uid)
      case .incomplete(let error, let uid):
        if let stamp, !stamp.isOlder(than: patience) {
          if waiting[bytes] == nil { log("wait \(name.file): \(error.sentence)") }
          waiting[bytes] = stamp
          return
        }
        let sentence = "\(error.sentence); nothing was added to it for \(Int(patience)) s"
        try refuse(bytes, shown: name.file, JobError(error.code, sentence), uid: uid)
      case .gone: break
      case .later(let error): log("later \(name.file): \(error.sentence)")
      }
      waiting[bytes] = nil
    }
  }

  /// Whether another job of a user may be taken in; while not, their files wait in the inbox, unread.
  private mutating func mayQueue(_ uid: UInt32) throws(QueueFault) -> Bool {
    let limits = admission.limits
    guard limits.queued != nil, !limits.isExempt(uid) else { return true }
    if queued[uid] == nil {
      queued[uid] = try QueueFault.store { () throws(StoreError) in
        try store.record { (store) throws(StoreError) in try store.totals(uid: uid)[.queued] }
      }
    }
    let count = queued[uid] ?? 0
    guard !limits.mayQueue(uid, besides: count) else {
      full.remove(uid)
      return true
    }
    if full.insert(uid).inserted {
      log("wait: user \(uid) has \(count) jobs queued; more are taken in when some have started")
    }
    return false
  }

  private mutating func claim(_ file: AdmissibleFile) throws(QueueFault) {
    let id = nextID
    let claim: AdmissibleFile.Claim
    do throws(SystemError) { claim = try file.claim(as: id, in: folders) } catch {
      guard error.mayPass else { throw .files(error) }
      // A rename that failed changed nothing: the file waits in the inbox for the next scan.
      log("later \(file.name.file) and what follows: \(error.sentence)")
      pending = []
      return
    }
    switch claim {
    case .gone: return
    case .done:
      let row = file.row(id: id)
      unrecorded.append(.job(row))
      queued[row.uid]? += 1
    case .other(let claim):
      if let row = try claim.settle(admission, store) { unrecorded.append(.job(row)) }
    }
    nextID += 1
  }

  private mutating func refuse(
    _ bytes: [UInt8], shown: String, _ error: JobError, uid: UInt32
  ) throws(QueueFault) {
    do throws(SystemError) {
      guard
        let kept = try Refusal.keep(
          bytes, of: folders.jobs, shown: shown, because: error.sentence, in: folders)
      else { return }
      // The store would give the next id it knows of, which a claim without row yet may have.
      let row = Refusal.row(kept, id: nextID, uid: uid, in: folders)
      nextID += 1
      unrecorded.append(.refusal(row, JobReason(code: error.code.rawValue, text: error.sentence)))
    } catch {
      if error.losesWrites { throw .files(error) }
      // Nothing was lost: the file is in the inbox or beside its reason, and the next scan looks again.
      log("cannot refuse \(shown): \(error.sentence)")
    }
  }

  private func synchronizeClaims() throws(QueueFault) {
    try QueueFault.files { () throws(SystemError) in
      try Descriptor.synchronizeFolder(folders.jobs)
      try Descriptor.synchronizeFolder(folders.claimed)
    }
  }

  /// Records what is claimed; false when the store's disk is full, and then the next scan tries again.
  private mutating func recordRows() throws(QueueFault) -> Bool {
    guard !unrecorded.isEmpty else { return true }
    let entries = unrecorded
    do throws(StoreError) {
      try store.record { (store) throws(StoreError) in
        try store.transaction { (store) throws(StoreError) in
          for entry in entries { try entry.record(in: store) }
        }
      }
    } catch {
      guard error.mayPass else { throw .store(error) }
      log("\(entries.count) files wait for their rows: \(error.sentence)")
      return false
    }
    for entry in entries { log(entry.event) }
    unrecorded.removeAll(keepingCapacity: true)
    return true
  }
}

/// What the store is still to be told of.
private enum Entry {
  case job(NewJob)
  case refusal(NewJob, JobReason)

  func record(in store: borrowing Store) throws(StoreError) {
    switch self {
    case .job(let row): try store.admit(row)
    case .refusal(let row, let reason): try store.refuse(row, because: reason)
    }
  }

  /// What the log says once it is recorded.
  var event: String {
    switch self {
    case .job(let row):
      "admit \(row.id ?? 0) \(row.name), user \(row.uid), \(ByteCount.text(Int(row.bytes)))"
    case .refusal(let row, let reason): "refuse \(row.id ?? 0) \(row.name): \(reason.text)"
    }
  }
}

import Formats
import Foundation
import Processing
import Store
import TestSupport
import Testing

@Suite struct JobCommitTests {
  @Test func `a result whose folder is gone fails its job, and the queue goes on`() throws {
    let queue = try Queue()
    try queue.admit(1)
    try queue.start(1, owner: "boot/daemon/0")
    let commit = JobCommit(folders: queue.folders, store: queue.store)
    let partial = commit.partial(of: 1, attempt: 1)
    let state = try commit.end(
      try queue.job(1), attempt: 1, .written(WrittenResult(partial: partial, bytes: 8)))
    let job = try queue.job(1)
    #expect(state == .failed && job.state == .failed && job.reasonCode == "input-output")
    #expect(
      job.reasonText == "cannot publish \(queue.folders.results)/a: No such file or directory")
    #expect(try queue.here.names(in: "state/claimed") == ["1-a.json"], "a retry can use it")
  }

  @Test func `a job whose worker had to be killed leaves no partial folder`() throws {
    let queue = try Queue()
    try queue.admit(1)
    try queue.start(1, owner: "boot/daemon/0")
    let commit = JobCommit(folders: queue.folders, store: queue.store)
    try FileManager.default.createDirectory(
      atPath: commit.partial(of: 1, attempt: 1), withIntermediateDirectories: false)
    try commit.end(try queue.job(1), attempt: 1, .failed(JobError(.cancelled, "killed")))
    #expect(try queue.job(1).state == .cancelled)
    #expect(try queue.here.names(in: "results") == [])
  }

  /// How an attempt may end, and what is true of its job then.
  private static let ends: [(name: String, end: JobCommit.AttemptEnd, expected: Expected)] = [
    ("a full disk", .failed(JobError(.diskFull, "full")), .putOff("disk-full", counted: 0)),
    ("no process left", .failed(JobError(.shortage, "few")), .putOff("shortage", counted: 0)),
    ("a dead worker", .died(.signalled(SIGKILL)), .putOff("worker-died", counted: 1)),
    ("an invalid job", .failed(JobError(.invalid, "bad")), .failed("invalid")),
    ("a read error", .failed(JobError(.inputOutput, "EIO")), .failed("input-output")),
    ("too large a job", .failed(JobError(.doesNotFit, "big")), .failed("does-not-fit")),
    ("the daemon's stop", .returned, .ready),
  ]

  private enum Expected {
    case putOff(String, counted: Int)
    case failed(String)
    case ready
  }

  @Test(arguments: 0..<7)
  func `what may pass is tried again later, what cannot is not`(index: Int) throws {
    let (name, end, expected) = Self.ends[index]
    let queue = try Queue()
    try queue.admit(1)
    try queue.start(1, owner: "boot/daemon/0")
    let commit = JobCommit(folders: queue.folders, store: queue.store)
    let began = Store.now
    try commit.end(try queue.job(1), attempt: 1, end)
    let job = try queue.job(1)
    switch expected {
    case .putOff(let code, let counted):
      #expect(job.state == .queued && job.delays == 1, "\(name)")
      #expect(job.reasonCode == code && job.reasonText != nil, "\(name)")
      #expect(job.countedAttempts == counted, "\(name)")
      #expect((began + 0.5...Store.now + 1).contains(job.notBefore ?? 0), "\(name)")
    case .failed(let code):
      #expect(job.state == .failed && job.reasonCode == code && job.notBefore == nil, "\(name)")
    case .ready:
      #expect(job.state == .queued && job.notBefore == nil && job.delays == 0, "\(name)")
    }
  }

  @Test func `a disk that stays full never fails a job, and each delay is twice the last`() throws {
    let queue = try Queue()
    try queue.admit(1)
    let commit = JobCommit(folders: queue.folders, store: queue.store)
    for attempt in 1...9 {
      try queue.start(1, owner: "boot/daemon/0")
      let began = Store.now
      try commit.end(try queue.job(1), attempt: attempt, .failed(JobError(.diskFull, "full")))
      let job = try queue.job(1)
      #expect(job.state == .queued && job.countedAttempts == 0 && job.delays == attempt)
      let delay = (job.notBefore ?? 0) - began
      let expected = min(60, pow(2, Double(attempt - 1)))
      #expect((expected..<expected + 10).contains(delay), "attempt \(attempt)")
      _ = try queue.store.record { (store) throws(StoreError) in
        try store.letGoOn(at: job.notBefore ?? 0)
      }
    }
  }

  @Test(
    .enabled(
      if: geteuid() != 0 || FileManager.default.isExecutableFile(atPath: "/usr/bin/chattr"),
      "root needs chattr"))
  func `a results folder that may not be written puts its job off, and fails it at the third time`()
    throws
  {
    let queue = try Queue()
    try queue.admit(1)
    let commit = JobCommit(folders: queue.folders, store: queue.store)
    for attempt in 1...3 {
      try queue.start(1, owner: "boot/daemon/0")
      let partial = commit.partial(of: 1, attempt: attempt)
      try FileManager.default.createDirectory(
        atPath: partial, withIntermediateDirectories: false)
      guard queue.forbid(queue.folders.results, true) else { return }
      defer { _ = queue.forbid(queue.folders.results, false) }
      try commit.end(
        try queue.job(1), attempt: attempt, .written(WrittenResult(partial: partial, bytes: 8)))
      let job = try queue.job(1)
      #expect(job.countedAttempts == attempt && job.reasonCode == "input-output")
      #expect(job.state == (attempt == 3 ? .failed : .queued))
      _ = try queue.store.record { (store) throws(StoreError) in
        try store.letGoOn(at: job.notBefore ?? 0)
      }
    }
  }

  @Test func `what must be recorded waits for a full disk, until the daemon gives up`() throws {
    let folder = try TemporaryFolder()
    let file = folder("store.sqlite")
    let full = StoreError(.full, "record", file, reason: "the disk is full")
    let store = JobStore(try Store(opening: file, access: .readWrite), insists: true)
    var tries = 0
    try store.insist { (_) throws(StoreError) in
      tries += 1
      if tries < 3 { throw full }
    }
    #expect(tries == 3)
    store.giveUp()
    #expect(throws: full) { try store.insist { (_) throws(StoreError) in throw full } }
    // A disk that failed is never asked twice.
    let failed = StoreError(.inputOutput, "record", file, reason: "fsync")
    let other = JobStore(try Store(opening: folder("b.sqlite"), access: .readWrite), insists: true)
    tries = 0
    #expect(throws: failed) {
      try other.insist { (_) throws(StoreError) in
        tries += 1
        throw failed
      }
    }
    #expect(tries == 1)
  }
}

extension Queue {
  /// Lets nobody change a folder, root included, or anybody again; false where that cannot be done.
  fileprivate func forbid(_ folder: String, _ isForbidden: Bool) -> Bool {
    if geteuid() != 0 { return unsafe chmod(folder, isForbidden ? 0o555 : 0o755) == 0 }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/chattr")
    process.arguments = [isForbidden ? "+i" : "-i", folder]
    process.standardError = FileHandle.nullDevice
    try? process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}

import Foundation
import Synchronization
import Testing

@testable import Store

@Suite struct StoreTests {
  @Test func `a job is read as it was admitted`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    let new = NewJob(
      id: 41, name: "ü\n'; DROP TABLE jobs", file: "41-x.json", uid: .max, priority: -3,
      bytes: .max, memory: 12, cores: 7, inode: .max, modified: -5)
    #expect(try store.admit(new, at: 1.25) == 41)
    let job = try #require(try store.job(41))
    #expect(job.name == new.name)
    #expect(job.file == new.file)
    #expect(job.uid == .max)
    #expect(job.priority == -3)
    #expect(job.submitted == 1.25)
    #expect(job.bytes == .max)
    #expect(job.memory == 12)
    #expect(job.cores == 7)
    #expect(job.inode == .max)
    #expect(job.modified == -5)
    #expect(job.started == nil)
    #expect(job.progress == 0)
    #expect(try store.job(inode: .max, modified: -5) == job)
    #expect(try store.job(inode: .max, modified: -4) == nil)
    #expect(try store.job(42) == nil)
  }

  @Test func `the queue is in order of priority, then of ids`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    for (id, priority) in [(1, 0), (2, 5), (3, 0), (4, 5), (5, -1)] {
      try store.admit(.sample(Int64(id), priority: priority))
    }
    #expect(try store.nextQueued(limit: 9).map(\.id) == [2, 4, 1, 3, 5])
    #expect(try store.nextQueued()?.id == 2)
    #expect(try store.start(2, owner: "o") == 1)
    #expect(try store.nextQueued()?.id == 4)
    #expect(try store.running().map(\.id) == [2])
  }

  @Test func `a result counts for whoever has its folder, until it is forgotten`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    for (id, uid) in [(1, UInt32(5)), (2, 6)] {
      try store.admit(.sample(Int64(id), uid: uid))
      #expect(try store.start(Int64(id), owner: "o") == 1)
      #expect(try store.finish(Int64(id), attempt: 1, .succeeded(result: "r", bytes: 100)))
    }
    // The first was removed by hand, else the second would not have its name.
    #expect(try store.resultBytes() == [6: 100])
    #expect(try store.result(of: 1) == nil)
    let result = try #require(try store.result(of: 2))
    #expect(try store.results(of: 6) == [result])
    #expect(try store.remove(2))
    #expect(try store.result(of: 2) == result)
    try store.admit(.sample(3, uid: 6))
    try store.admit(.sample(4, uid: 6))
    #expect(try store.putOff(3, JobDelay(until: 1e10, because: JobReason(code: "c", text: "t"))))
    #expect(try store.putOff(4, JobDelay(until: 1e10, because: .sample)))
    try store.forget(results: [result], waitingFor: "c")
    #expect(try store.resultBytes() == [:])
    #expect(try store.job(3)?.notBefore == nil && store.job(4)?.notBefore != nil)
    #expect(try store.totalsAreRight())
  }

  @Test func `an id is never given twice, not even after its job is gone`() throws {
    let folder = try TemporaryFolder()
    do {
      let store = try Store(opening: folder.store, access: .readWrite)
      try store.admit(.sample(7))
      #expect(try !store.remove(7))
      #expect(try store.cancelQueued(7, because: .sample))
      #expect(try store.remove(7))
      #expect(try store.job(7) == nil)
    }
    let store = try Store(opening: folder.store, access: .readWrite)
    #expect(try store.largestId() == 7)
    #expect(try store.admit(.sample(nil)) == 8)
    let error = #expect(throws: StoreError.self) { try store.admit(.sample(8)) }
    #expect(error?.kind == .conflict)
  }

  @Test func `a transaction lasts as a whole or not at all`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.transaction { store throws(StoreError) in
      for id in 1...3 { try store.admit(.sample(Int64(id))) }
    }
    #expect(throws: StoreError.self) {
      try store.transaction { store throws(StoreError) in
        _ = try store.start(1, owner: "o")
        try store.admit(.sample(4))
        try store.admit(.sample(3))
      }
    }
    #expect(try store.totals()[.queued] == 3)
    #expect(try store.job(4) == nil)
    try store.admit(.sample(4))
  }

  @Test func `a reader sees what is committed while the writer writes`() throws {
    let folder = try TemporaryFolder()
    let writer = try Store(opening: folder.store, access: .readWrite)
    try writer.admit(.sample(1))
    let reader = try Store(opening: folder.store, access: .readOnly(daemonIsRunning: true))
    let version = try reader.dataVersion()
    #expect(try reader.dataVersion() == version)
    try writer.transaction { store throws(StoreError) in
      try store.admit(.sample(2))
      #expect(try reader.jobs(JobFilter()).map(\.id) == [1])
    }
    #expect(try reader.jobs(JobFilter()).map(\.id) == [2, 1])
    #expect(try reader.dataVersion() != version)
    try reader.snapshot { store throws(StoreError) in
      #expect(try store.totals()[.queued] == 2)
      _ = try writer.start(1, owner: "o")
      #expect(try store.totals()[.queued] == 2)
    }
    #expect(try reader.totals()[.queued] == 1)
    let error = #expect(throws: StoreError.self) { try reader.admit(.sample(3)) }
    #expect(error?.kind == .notPermitted)
  }

  @Test func `totals count each owner's jobs and all`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1, uid: 1))
    try store.admit(.sample(2, uid: 1))
    try store.admit(.sample(3, uid: 2))
    try store.refuse(.sample(4, uid: 2), because: .sample)
    _ = try store.start(1, owner: "o")
    #expect(try store.totals()[.queued] == 2)
    #expect(try store.totals(uid: 1)[.running] == 1)
    #expect(try store.totals(uid: 2)[.refused] == 1)
    #expect(try store.totals(uid: 2)[.running] == 0)
    #expect(try store.totals(uid: 3).values.allSatisfy { $0 == 0 })
    #expect(try store.cancelQueued(2, because: .sample))
    #expect(try store.remove(2))
    #expect(try store.totals(uid: 1)[.cancelled] == 0)
  }

  @Test func `filters choose by state, owner, time and name, in any order`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    for id in 1...6 {
      try store.admit(
        .sample(Int64(id), name: "n\(7 - id)", uid: UInt32(id % 2), priority: id / 3),
        at: Double(id))
    }
    _ = try store.start(2, owner: "o", at: 20)
    _ = try store.start(5, owner: "o", at: 10)
    func ids(_ change: (inout JobFilter) -> Void) throws -> [Int64] {
      var filter = JobFilter()
      change(&filter)
      return try store.jobs(filter).map(\.id)
    }
    #expect(try ids { _ in } == [6, 5, 4, 3, 2, 1])
    #expect(try ids { $0.limit = 2 } == [6, 5])
    #expect(try ids { $0.limit = -1 } == [])
    #expect(try ids { $0.states = [.running] } == [5, 2])
    #expect(try ids { $0.states = [.running, .queued] } == [6, 5, 4, 3, 2, 1])
    #expect(try ids { $0.uid = 1 } == [5, 3, 1])
    #expect(try ids { $0.since = 4 } == [6, 5, 4])
    #expect(try ids { $0.name = "n1" } == [6])
    #expect(
      try ids {
        $0.order = .name
        $0.isDescending = false
      } == [6, 5, 4, 3, 2, 1])
    #expect(
      try ids {
        $0.order = .started
        $0.states = [.running]
      } == [2, 5])
    #expect(
      try ids {
        $0.order = .priority
        $0.states = [.queued]
      } == [6, 3, 4, 1])
    #expect(
      try ids {
        $0.uid = 0
        $0.states = [.queued]
        $0.since = 5
      } == [6])
  }

  /// The filters behind `nnjobs status` in its usual forms.
  private static let frequentFilters: [(name: String, filter: JobFilter)] = {
    var recent = JobFilter()
    recent.limit = 20
    var next = recent
    next.states = [.queued]
    next.order = .priority
    var failed = recent
    failed.states = [.failed]
    var own = recent
    own.uid = 1000
    var today = recent
    today.since = 1e9
    today.order = .submitted
    var ended = recent
    ended.order = .finished
    ended.states = [.succeeded, .failed, .cancelled, .refused]
    var ownEnded = ended
    ownEnded.uid = 1000
    return [
      ("ended", ended), ("own ended", ownEnded), ("recent", recent), ("next", next),
      ("failed", failed), ("own", own),
      ("today", today),
    ]
  }()

  @Test(arguments: 0..<7)
  func `a frequent question is answered from an index without sorting`(index: Int) throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    let (name, filter) = Self.frequentFilters[index]
    let (sql, bindings) = filter.query
    let steps = try store.connection.prepare("EXPLAIN QUERY PLAN " + sql, to: "read")
      .all(bindings, read: { $0.text(3) })
    #expect(!steps.isEmpty)
    for step in steps {
      // Newest first walks the table from its end and stops at the limit.
      #expect(step != "SCAN jobs" || name == "recent")
      #expect(!step.contains("TEMP B-TREE"), "\(step)")
    }
  }

  @Test func `a store in a mutex can be used from any thread`() throws {
    let folder = try TemporaryFolder()
    let shared = Mutex(try Store(opening: folder.store, access: .readWrite))
    try shared.withLock { store throws(StoreError) in
      try store.transaction { store throws(StoreError) in _ = try store.admit(.sample(1)) }
    }
    #expect(try shared.withLock { store throws(StoreError) in try store.largestId() } == 1)
  }

  @Test func `what was committed before a kill is there, what was not is gone`() async throws {
    let folder = try TemporaryFolder()
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.store as String] in
      let store = try Store(opening: path, access: .readWrite)
      try store.admit(.sample(1))
      _ = try store.start(1, owner: "o")
      _ = try store.progress(1, attempt: 1, 0.25)
      try store.transaction { store throws(StoreError) in
        _ = try store.finish(1, attempt: 1, .failed(.sample))
        for id in 2...5000 { try store.admit(.sample(Int64(id))) }
        kill(getpid(), SIGKILL)
      }
    }
    let store = try Store(opening: folder.store, access: .readWrite)
    #expect(try store.totals()[.running] == 1)
    #expect(try store.job(1)?.progress == 0.25)
    #expect(try store.largestId() == 1)
    try store.check()
  }
}

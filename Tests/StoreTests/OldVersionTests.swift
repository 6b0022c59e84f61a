import Foundation
import Testing

@testable import Store

/// Stores of every released version open for ever: each is made here by its own SQL, which never changes.
@Suite struct OldVersionTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/store")

  private func store(ofVersion version: Int, in folder: TemporaryFolder) throws -> String {
    let script = try String(
      contentsOf: Self.fixtures.appending(path: "version-\(version).sql"), encoding: .utf8)
    try Connection(opening: folder.store, .create).execute(script, to: "make")
    return script
  }

  @Test func `there is a fixture for every version`() throws {
    for version in 1...Schema.current {
      #expect(
        FileManager.default.fileExists(
          atPath: Self.fixtures.appending(path: "version-\(version).sql").path))
    }
  }

  @Test(arguments: 1...Schema.current)
  func `a version is made by the scripts it was released with`(version: Int) throws {
    let folder = try TemporaryFolder()
    let script = try store(ofVersion: version, in: folder)
    for migration in Schema.migrations.prefix(version) { #expect(script.contains(migration)) }
  }

  @Test func `a store of version 1 opens, and every job is as it was`() throws {
    let folder = try TemporaryFolder()
    _ = try store(ofVersion: 1, in: folder)
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.check()
    #expect(try store.connection.schemaVersion() == Schema.current)
    let jobs = try store.jobs(JobFilter())
    #expect(jobs.map(\.id) == [6, 5, 4, 3, 2, 1])
    #expect(
      jobs.map(\.state) == [.refused, .cancelled, .running, .queued, .failed, .succeeded])
    #expect(try store.largestId() == 9)
    for (state, count) in try store.totals() { #expect(count == 1, "\(state)") }
    #expect(try store.totals(uid: 1001)[.running] == 1)
    let running = try #require(try store.job(4))
    #expect(running.owner == "b7c1/3/0")
    #expect(running.inode == .max)
    #expect(running.progress == 0.25)
    #expect(try store.job(3)?.countedAttempts == 0)
    #expect(try store.finish(4, attempt: 1, .succeeded(result: "long", bytes: 1)))
    #expect(try store.start(3, owner: "o") == 3)
    #expect(try store.retry(2))
    #expect(try store.admit(.sample(nil)) == 10)
  }

  @Test func `a store of version 1 says of old jobs what is new since`() throws {
    let folder = try TemporaryFolder()
    _ = try store(ofVersion: 1, in: folder)
    let store = try Store(opening: folder.store, access: .readWrite)
    for job in try store.jobs(JobFilter()) {
      #expect(!job.isHeld)
      #expect(job.notBefore == nil)
      #expect(job.timeLimit == nil)
      #expect(job.disk == (job.state == .succeeded ? 0 : job.bytes))
    }
    #expect(try store.nextQueued()?.id == 3)
    #expect(try store.shares().isEmpty)
    #expect(try store.settings().isEmpty)
  }

  @Test func `a store of version 3 opens, and says where a job went on`() throws {
    let folder = try TemporaryFolder()
    _ = try store(ofVersion: 3, in: folder)
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.check()
    let running = try #require(try store.job(4))
    #expect(running.resumptions == 2 && running.resumedFrom == 0.75)
    #expect(try store.resumed(4, attempt: 1, from: 0.875))
    #expect(try !store.resumed(4, attempt: 2, from: 0.5))
    #expect(try !store.resumed(5, attempt: 0, from: 0.5))
    #expect(try store.job(4)?.resumptions == 3 && store.job(4)?.resumedFrom == 0.875)
    #expect(try store.job(1)?.resumptions == 0 && store.job(1)?.resumedFrom == nil)
  }

  @Test func `a store of version 4 opens, and counts results of forgotten jobs too`() throws {
    let folder = try TemporaryFolder()
    _ = try store(ofVersion: 4, in: folder)
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.check()
    #expect(try store.result(of: 9)?.folder == "forgotten")
    #expect(try store.resultBytes() == [1000: 4_664_000 + 4096])
    #expect(try store.resultBytes(of: 1001) == (0, 1_073_742_000))
    #expect(try store.totalsAreRight())
  }

  @Test(arguments: [(1, Int64(4_662_400)), (2, 4_664_000), (3, 4_664_000)])
  func `an older store's results count as what was planned or written`(
    version: Int, bytes: Int64
  ) throws {
    let folder = try TemporaryFolder()
    _ = try store(ofVersion: version, in: folder)
    let store = try Store(opening: folder.store, access: .readWrite)
    #expect(try store.resultBytes(of: 1000).kept == bytes)
    #expect(try store.result(of: 1)?.folder == "digits")
    #expect(try store.totalsAreRight())
  }

  @Test func `a store of version 2 opens, and every job is as it was`() throws {
    let folder = try TemporaryFolder()
    _ = try store(ofVersion: 2, in: folder)
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.check()
    #expect(try store.connection.schemaVersion() == Schema.current)
    #expect(
      try store.jobs(JobFilter()).map(\.state)
        == [.queued, .refused, .queued, .running, .queued, .failed, .succeeded])
    #expect(try store.nextQueued(limit: 9).map(\.id) == [7])
    let later = try #require(try store.job(3))
    #expect(later.notBefore == 1_764_000_300)
    #expect(later.delays == 2)
    #expect(later.reasonCode == "disk-full")
    #expect(try store.job(5)?.isHeld == true)
    #expect(try store.job(2)?.timeLimit == 60)
    #expect(try store.job(4)?.grantedCores == 2)
    #expect(try store.job(4)?.disk == 1_073_742_000)
    #expect(try store.shares()[1000] == UserShare(coreSeconds: 7200.5, asOf: 1_764_000_002.75))
    #expect(try store.settings() == ["cores": "2", "memory": "17179869184"])
    #expect(try store.release(5))
    #expect(try store.letGoOn() == 1)
    #expect(try store.nextQueued(limit: 9).map(\.id) == [5, 7, 3])
  }
}

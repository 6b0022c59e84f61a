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

  @Test func `version 1 is made by the script it was released with`() throws {
    let folder = try TemporaryFolder()
    let script = try store(ofVersion: 1, in: folder)
    #expect(script.contains(Schema.migrations[0]))
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
}

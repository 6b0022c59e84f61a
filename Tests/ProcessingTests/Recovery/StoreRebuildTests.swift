import Formats
import FoundationEssentials
import Processing
import Store
import TestSupport
import Testing

@Suite struct StoreRebuildTests {
  /// A queue of a succeeded, a failed, a queued and a refused job, whose store is closed.
  private func populated() throws -> (TemporaryFolder, QueueFolders) {
    let queue = try Queue()
    try queue.succeed(1)
    try queue.admit(2)
    try queue.start(2, owner: "boot/daemon/0")
    try queue.store.record { store throws(StoreError) in
      _ = try store.finish(2, attempt: 1, .failed(JobReason(code: "fault", text: "why")))
    }
    try queue.admit(3)
    try queue.refuse("b.json")
    return (queue.here, queue.folders)
  }

  private func recovered(_ folders: QueueFolders) throws -> JobStore {
    let store = JobStore(try Store(opening: folders.store, access: .readWrite))
    _ = try Recovery(
      admission: Admission(folders: folders, machine: MachineLimits(cores: 1, memory: 1 << 30)),
      store: store, commit: JobCommit(folders: folders, store: store), bootID: "boot",
      log: { _ in }
    ).run()
    return store
  }

  private func states(_ store: JobStore) throws -> [Int64: JobState] {
    let jobs = try store.record { store throws(StoreError) in try store.jobs(JobFilter()) }
    return Dictionary(uniqueKeysWithValues: jobs.map { ($0.id, $0.state) })
  }

  @Test func `a store that is gone comes back from files, and its ids are not given again`() throws
  {
    let (here, folders) = try populated()
    for ending in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: folders.store + ending)
    }
    let outcome = try StoreRebuild(folders).run()
    // 1. Nothing to keep. 2. Job 1 from its result. 3. Ids from 1003 + 1 on.
    #expect(outcome.kept == nil && outcome.salvaged == 0, "1")
    #expect(outcome.restored == 1, "2")
    #expect(outcome.reserved == 1003, "3")
    let store = try recovered(folders)
    // What failed is no longer known to have failed: its file is there, and it is computed again.
    #expect(try states(store) == [1: .succeeded, 2: .queued, 3: .queued, 1004: .refused])
    let job = try store.record { store throws(StoreError) in try store.job(1) }
    #expect(job?.result == "a" && job?.name == "a" && job?.bytes == 8 && job?.attempts == 1)
    #expect(try here.names(in: "state").contains { $0.hasPrefix("store.sqlite.") } == false)
  }

  @Test func `what a damaged store still tells is kept, and the store itself too`() throws {
    let (here, folders) = try populated()
    // Four more pages of rows, and the middle of the file made unreadable.
    do {
      let store = try Store(opening: folders.store, access: .readWrite)
      try store.transaction { store throws(StoreError) in
        for id in 5...400 as ClosedRange<Int64> {
          try store.refuse(
            NewJob(id: id, name: "r", file: "r\(id)", uid: 0, inode: 1, modified: 1),
            because: JobReason(code: "invalid", text: String(repeating: "x", count: 100)))
        }
      }
      try store.checkpoint()
    }
    var bytes = try Data(contentsOf: URL(filePath: folders.store))
    let middle = bytes.count / 2 / 4096 * 4096
    bytes.replaceSubrange(middle..<middle + 8192, with: [UInt8](repeating: 0x5A, count: 8192))
    try bytes.write(to: URL(filePath: folders.store))
    let error = #expect(throws: StoreError.self) {
      _ = try Store(opening: folders.store, access: .readWrite)
    }
    #expect(error?.sentence.contains("run `nnjobs fsck --rebuild`") ?? false)

    let outcome = try StoreRebuild(folders).run(now: 1_700_000_000)
    #expect(outcome.kept == folders.state + "/store.sqlite.kept-20231114T221320Z")
    #expect(try Data(contentsOf: URL(filePath: try #require(outcome.kept))) == bytes)
    #expect(outcome.salvaged > 100 && outcome.salvaged < 400, "\(outcome)")
    #expect(outcome.reserved >= 1400)
    let states = try states(try recovered(folders))
    // Both ends of the table were readable: what failed stays failed.
    #expect(states[1] == .succeeded && states[2] == .failed && states[3] == .queued)
    #expect(states[400] == .refused)
    #expect(try here.names(in: "state/claimed") == ["2-a.json", "3-a.json"])
  }

  @Test func `a rebuild that was interrupted keeps a daemon from starting, and is finished`() throws
  {
    let (here, folders) = try populated()
    try FileManager.default.moveItem(
      atPath: folders.store, toPath: folders.store + ".rebuilt")
    let error = #expect(throws: StoreError.self) {
      _ = try Store(opening: folders.store, access: .readWrite)
    }
    #expect(error?.kind == .unreadable)
    #expect(
      error?.sentence == "cannot open the store \(folders.store): its rebuilding was interrupted; "
        + "run `nnjobs fsck --rebuild`, which finishes it")
    try here.write("half", to: "state/store.sqlite.copy")
    _ = try StoreRebuild(folders).run()
    #expect(try !here.names(in: "state").contains("store.sqlite.copy"))
    #expect(try states(try recovered(folders))[2] == .failed)
    #expect(try !here.names(in: "state").contains("store.sqlite.rebuilt"))
  }
}

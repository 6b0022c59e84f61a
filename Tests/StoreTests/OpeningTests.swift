import Foundation
import Testing

@testable import Store

@Suite struct OpeningTests {
  @Test func `a new store has the current version and no jobs`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    #expect(try store.connection.schemaVersion() == Schema.current)
    #expect(try store.jobs(JobFilter()).isEmpty)
    #expect(try store.largestId() == 0)
    #expect(try store.nextQueued() == nil)
    #expect(!FileManager.default.fileExists(atPath: folder.store + ".new"))
    try store.check()
  }

  @Test func `a reader finds no store where there is none, and makes none`() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: StoreError.self) {
      _ = try Store(opening: folder.store, access: .readOnly(daemonIsRunning: false)).largestId()
    }
    #expect(error?.kind == .missing)
    #expect(!FileManager.default.fileExists(atPath: folder.store))
  }

  @Test func `a newer schema is refused with a sentence`() throws {
    let folder = try TemporaryFolder()
    do {
      let store = try Store(opening: folder.store, access: .readWrite)
      try store.connection.execute("PRAGMA user_version = 999", to: "write")
    }
    for access in [Store.Access.readWrite, .readOnly(daemonIsRunning: false)] {
      let error = #expect(throws: StoreError.self) {
        _ = try Store(opening: folder.store, access: access).largestId()
      }
      #expect(error?.kind == .newerSchema)
      #expect(
        error?.sentence == "cannot open the store \(folder.store): its version is 999, and this "
          + "nnjobs knows versions up to \(Schema.current); install the nnjobs that wrote it, "
          + "or a newer one")
    }
  }

  @Test(arguments: [
    ("empty", [UInt8]()), ("text", Array("hello, I am no database".utf8)),
    ("zeros", [UInt8](repeating: 0, count: 8192)),
  ])
  func `a file that is no store is refused and left as it is`(
    name: String, bytes: [UInt8]
  ) throws {
    let folder = try TemporaryFolder()
    try Data(bytes).write(to: URL(filePath: folder.store))
    for access in [Store.Access.readWrite, .readOnly(daemonIsRunning: false)] {
      let error = #expect(throws: StoreError.self) {
        _ = try Store(opening: folder.store, access: access).largestId()
      }
      #expect(error?.kind == .unreadable)
    }
    #expect(try Data(contentsOf: URL(filePath: folder.store)) == Data(bytes))
  }

  @Test func `a store cut short is refused, never started empty`() throws {
    let folder = try TemporaryFolder()
    do {
      let store = try Store(opening: folder.store, access: .readWrite)
      try store.transaction { store throws(StoreError) in
        for id in 1...500 { try store.admit(.sample(Int64(id))) }
      }
    }
    // The log is empty after a clean close, or it would heal the file.
    #expect(try Data(contentsOf: URL(filePath: folder.store + "-wal")).isEmpty)
    let whole = try Data(contentsOf: URL(filePath: folder.store))
    try whole.prefix(whole.count / 2).write(to: URL(filePath: folder.store))
    let error = #expect(throws: StoreError.self) {
      _ = try Store(opening: folder.store, access: .readWrite).largestId()
    }
    #expect(error?.kind == .unreadable)
  }

  @Test func `a damaged page is found when the daemon opens its store`() throws {
    let folder = try TemporaryFolder()
    do {
      let store = try Store(opening: folder.store, access: .readWrite)
      try store.transaction { store throws(StoreError) in
        for id in 1...500 { try store.admit(.sample(Int64(id))) }
      }
    }
    var bytes = try Data(contentsOf: URL(filePath: folder.store))
    let page = bytes.count / 4096 / 2
    bytes.replaceSubrange(
      page * 4096..<(page + 1) * 4096, with: [UInt8](repeating: 0x5A, count: 4096))
    try bytes.write(to: URL(filePath: folder.store))
    let error = #expect(throws: StoreError.self) {
      _ = try Store(opening: folder.store, access: .readWrite).largestId()
    }
    #expect(error?.kind == .unreadable)
  }

  @Test func `a log without its store is not replayed into a new one`() throws {
    let folder = try TemporaryFolder()
    do {
      let store = try Store(opening: folder.store, access: .readWrite)
      try store.admit(.sample(1))
      try FileManager.default.copyItem(
        atPath: folder.store + "-wal", toPath: folder.path + "/kept")
    }
    try FileManager.default.removeItem(atPath: folder.store)
    try? FileManager.default.removeItem(atPath: folder.store + "-wal")
    try FileManager.default.moveItem(
      atPath: folder.path + "/kept", toPath: folder.store + "-wal")
    let error = #expect(throws: StoreError.self) {
      _ = try Store(opening: folder.store, access: .readWrite).largestId()
    }
    #expect(error?.kind == .unreadable)
    #expect(!FileManager.default.fileExists(atPath: folder.store))
  }

  @Test func `what an interrupted creation left is cleared away`() throws {
    let folder = try TemporaryFolder()
    try Data("half".utf8).write(to: URL(filePath: folder.store + ".new"))
    let store = try Store(opening: folder.store, access: .readWrite)
    #expect(try store.largestId() == 0)
    #expect(!FileManager.default.fileExists(atPath: folder.store + ".new"))
  }

  @Test func `each migration is a transaction, and a failed one changes nothing`() throws {
    let folder = try TemporaryFolder()
    let connection = try Connection(opening: folder.store, .create)
    let scripts = [
      "CREATE TABLE first (a) STRICT".replacing("(a)", with: "(a INTEGER)") + ";",
      "CREATE TABLE second (a INTEGER); INSERT INTO nowhere VALUES (1);",
    ]
    #expect(throws: StoreError.self) { try connection.migrate(through: scripts) }
    #expect(try connection.schemaVersion() == 1)
    let count = try connection.prepare("SELECT count(*) FROM sqlite_schema", to: "read")
    #expect(try count.first(read: { $0.integer(0) }) == 1)
    try connection.migrate(through: [scripts[0], "CREATE TABLE second (a INTEGER);"])
    #expect(try connection.schemaVersion() == 2)
    #expect(try count.first(read: { $0.integer(0) }) == 2)
  }

  @Test func `the log stays after the last close, so that a reader without rights finds it`() throws
  {
    let folder = try TemporaryFolder()
    do {
      let store = try Store(opening: folder.store, access: .readWrite)
      try store.admit(.sample(1))
    }
    #expect(FileManager.default.fileExists(atPath: folder.store + "-wal"))
    #expect(FileManager.default.fileExists(atPath: folder.store + "-shm"))
  }

  @Test func `a checkpoint leaves everything in the file and the log empty`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1))
    #expect(try Data(contentsOf: URL(filePath: folder.store + "-wal")).isEmpty == false)
    try store.checkpoint()
    #expect(try Data(contentsOf: URL(filePath: folder.store + "-wal")).isEmpty)
    let copy = folder.path + "/copy.sqlite"
    try FileManager.default.copyItem(atPath: folder.store, toPath: copy)
    let reader = try Store(opening: copy, access: .readOnly(daemonIsRunning: false))
    #expect(try reader.job(1)?.name == "a")
  }
}
